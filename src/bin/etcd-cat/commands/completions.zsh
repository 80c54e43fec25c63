#compdef etcd-cat
# zsh completion of etcd-cat
_etcd_cat() {
    local -a found
    found=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    found=("${(@)found:#}")
    # Of --option=value the candidates are values alone.
    if [[ ${words[CURRENT]} == --*=* ]]; then
        compset -P '*='
    fi
    if (( ${#found} )); then
        compadd -a found
    else
        _files
    fi
}
if [ "$funcstack[1]" = "_etcd_cat" ]; then
    _etcd_cat "$@"
else
    compdef _etcd_cat etcd-cat
fi
