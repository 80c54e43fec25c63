# fish completion of etcd-cat
function __etcd_cat_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l begun (commandline --current-token --cut-at-cursor)
    $words[1] complete -- $words[2..-1] "$begun" 2>/dev/null
end
complete --command etcd-cat --arguments '(__etcd_cat_complete)'
