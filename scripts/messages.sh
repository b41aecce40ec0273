# How the scripts talk: what they do on stdout, what went wrong on stderr. Sourced, not run.

say() {
    printf -- '-----> %s\n' "$*"
}

note() {
    printf '       %s\n' "$*"
}

# fail WHAT [LINE…]: say what happened and what to do about it, then give up.
fail() {
    printf ' !     %s\n' "$@" >&2
    exit 1
}
