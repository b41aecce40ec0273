"""`homeport autocomplete`: a completion script, with every name and flag of the command table in it.

Nothing runs while somebody presses Tab but the shell itself.
"""

from __future__ import annotations

from pathlib import PurePath

from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.cli.grammar import Command
from homeport.cli.table import COMMANDS

_BASH = """\
_homeport() {
    local typed=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} words= command
    local -a parts
    read -ra parts <<< "$typed"
    command=${parts[1]:-}
    if [[ ${#parts[@]} -le 1 || ( ${#parts[@]} -eq 2 && $typed != *" " ) ]]; then
        words="%(names)s"
        current=$command
    else
        case $command in
%(cases)s
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    # Bash takes a colon for the end of a word: offer only what comes after the last one.
    if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local start=${current%%"${current##*:}"}
        COMPREPLY=("${COMPREPLY[@]#"$start"}")
    fi
}
complete -F _homeport homeport
"""

_ZSH = """\
#compdef homeport
_homeport() {
    local -a names flags
    names=(
%(described)s
    )
    if (( CURRENT == 2 )); then
        _describe 'command' names
        return
    fi
    case $words[2] in
%(cases)s
    esac
    compadd -- $flags
}
compdef _homeport homeport
"""


def autocomplete(call: Call) -> None:
    shell = call.argument or PurePath(call.env.get("SHELL", "")).name
    scripts = {"bash": bash, "zsh": zsh, "fish": fish}
    if shell not in scripts:
        raise UsageError(f"There is no completion for {shell or 'this shell'}.", fix="Name one: bash, zsh or fish")
    call.terminal.out(scripts[shell]().rstrip("\n"))
    if call.terminal.columns is not None:
        use = {"fish": "homeport autocomplete fish | source"}
        line = use.get(shell, f'eval "$(homeport autocomplete {shell})"')
        call.terminal.say(f"\nTo use it, put this into your shell's start-up file:\n  {line}")


def _visible() -> list[Command]:
    return [command for command in COMMANDS if not command.hidden]


def _flags(command: Command) -> list[str]:
    return sorted(f"--{flag.name}" for flag in command.flags if not flag.hidden)


def bash() -> str:
    names = " ".join(sorted(name for command in _visible() for name in command.names))
    cases = [
        f'            {"|".join(command.names)}) words="{" ".join(_flags(command))}" ;;'
        for command in _visible()
        if command.flags
    ]
    return _BASH % {"names": names, "cases": "\n".join(cases)}


def zsh() -> str:
    described = [
        f"        '{name.replace(':', chr(92) + ':')}:{_quoted(command.summary)}'"
        for command in _visible()
        for name in command.names
    ]
    cases = [
        f"        {'|'.join(command.names)}) flags=({' '.join(_flags(command))}) ;;"
        for command in _visible()
        if command.flags
    ]
    return _ZSH % {"described": "\n".join(described), "cases": "\n".join(cases)}


def fish() -> str:
    lines = ["complete -c homeport -f"]
    for command in _visible():
        for name in command.names:
            lines.append(f"complete -c homeport -n __fish_use_subcommand -a '{name}' -d '{_fish(command.summary)}'")
        seen = f"__fish_seen_subcommand_from {' '.join(command.names)}"
        for flag in command.flags:
            if not flag.hidden:
                char = f" -s {flag.char}" if flag.char else ""
                value = "" if flag.is_switch else " -r"
                described = f"-d '{_fish(flag.summary)}'"
                lines.append(f"complete -c homeport -n '{seen}' -l {flag.name}{char}{value} {described}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''").replace(":", "\\:")


def _fish(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
