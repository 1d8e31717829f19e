"""Completion in the shell: a small script for each shell, which asks `clasp_journal.cli.completion`."""

from __future__ import annotations

import click

# Bash takes a colon for the end of a word: what stands before it must not be offered again.
_BASH = r"""
_clasp_journal() {
    local line="${COMP_LINE:0:COMP_POINT}" offer
    local word="${line##*[[:space:]]}"
    COMPREPLY=()
    while IFS=$'\t' read -r offer _; do
        COMPREPLY+=("${offer#"${word%"${word##*:}"}"}")
    done < <(_CLASP_JOURNAL_LINE="$line" clasp-journal 2> /dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
}
complete -o nosort -o default -F _clasp_journal clasp-journal
"""
_ZSH = r"""
#compdef clasp-journal
_clasp_journal() {
    local -a offers meanings
    local offer
    for offer in "${(@f)$(_CLASP_JOURNAL_LINE="$LBUFFER" clasp-journal 2> /dev/null)}"; do
        [[ -n $offer ]] || continue
        offers+=("${offer%%$'\t'*}")
        meanings+=("${${offer/$'\t'/  }%%  }")
    done
    if (( $#offers )); then
        compadd -l -U -V offers -d meanings -a offers
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _clasp_journal clasp-journal
"""
_FISH = r"""
function __clasp_journal
    set -l offers (env _CLASP_JOURNAL_LINE=(commandline -cp | string collect) clasp-journal 2> /dev/null)
    if test (count $offers) -gt 0
        printf '%s\n' $offers
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command clasp-journal --no-files --arguments '(__clasp_journal)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@click.command("completion", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def completion(shell: str) -> None:
    """Completes verbs, options, addresses and marks in a shell.

    \b
    eval "$(clasp-journal completion bash)"
    eval "$(clasp-journal completion zsh)"
    clasp-journal completion fish > ~/.config/fish/completions/clasp-journal.fish
    """
    click.echo(SCRIPTS[shell].strip())
