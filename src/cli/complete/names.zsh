
# Names of objects, their rows and their values, as this demarc knows them.
_demarc_names() {
    local -a found
    found=("${(@f)$(${words[1]} mib --names -- "${(Q)PREFIX}" 2>/dev/null)}")
    compadd -U -S '' -- ${found:#}
}
