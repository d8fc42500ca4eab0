for verb in get set walk mib
    complete -c demarc -n "__fish_demarc_using_subcommand $verb" -f -a "(demarc mib --names -- (commandline -ct) 2>/dev/null)"
end
