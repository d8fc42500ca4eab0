
# Names of objects, their rows and their values, as this demarc knows them.
_demarc_names() {
    local word=${COMP_LINE:0:COMP_POINT} data=() before at IFS=$'\n'
    word=${word##*[[:space:]]}
    for ((at = 1; at < COMP_CWORD; at++)); do
        [[ ${COMP_WORDS[at]} == --data ]] && data=(--data "${COMP_WORDS[at + 1]}")
    done
    compopt -o nospace 2>/dev/null
    case $word in
        [\'\"]*) word=${word:1} before= ;;
        # Outside quotes the shell completes what stands behind the last = or :.
        *) before=${word%"${word##*[=:]}"} ;;
    esac
    COMPREPLY=($("${COMP_WORDS[0]}" mib --names "${data[@]}" -- "$word" 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

_demarc_all() {
    local at
    if [[ ${COMP_WORDS[COMP_CWORD]} != -* ]]; then
        for ((at = 1; at < COMP_CWORD; at++)); do
            case ${COMP_WORDS[at]} in
                get | set | walk | mib) _demarc_names && return ;;
            esac
        done
    fi
    _demarc "$@"
}

complete -F _demarc_all -o bashdefault -o default demarc
