# fish completion of etcd-cat
function __etcd_cat_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l begun (commandline --current-token --cut-at-cursor)
    # Of --option=value only the value is completed: fish wants the whole word back.
    set -l option (string match --regex -- '^--[^=]+=' "$begun")
    set -l value (string replace --regex -- '^--[^=]+=' '' "$begun")
    set -l found ($words[1] complete -- $words[2..-1] "$begun" 2>/dev/null)
    if test (count $found) -eq 0
        set found (__fish_complete_path "$value")
    end
    printf '%s\n' "$option"$found
end
complete --command etcd-cat --no-files --arguments '(__etcd_cat_complete)'
