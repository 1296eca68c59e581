"""Programs that only read, with the flags under which they do: allow-lists, never block-lists."""

from __future__ import annotations

from agentcli.policy.shell import Simple

ANY = "*"
"""In place of flags: the program reads whatever flags it is given."""

PROGRAMS: dict[str, str] = {
    "ls": "aAbBcCdfFgGhHiIklLmnNopqQrRsStTuUvwxXZ1 all almost-all color human-readable recursive "
    "reverse sort time size group-directories-first inode classify directory time-style full-time",
    "cat": "AbeEnstTuv number number-nonblank show-all show-ends show-tabs squeeze-blank",
    "head": "cnqvz lines bytes quiet verbose",
    "tail": "cnqvz lines bytes quiet verbose",
    "wc": "clLmw lines words bytes chars max-line-length",
    "grep": "EFGPiywxvnHhoqscmlLrRAzBCabe extended-regexp fixed-strings perl-regexp regexp "
    "ignore-case invert-match word-regexp line-regexp count color max-count line-number "
    "with-filename no-filename only-matching quiet files-with-matches files-without-match "
    "recursive include exclude exclude-dir context after-context before-context no-messages text",
    "rg": "FiSswxvnNHIcolLUPzAzBCegtTuhmM.0 fixed-strings ignore-case smart-case case-sensitive "
    "word-regexp invert-match line-number no-line-number with-filename no-filename count "
    "only-matching files files-with-matches files-without-match multiline pcre2 glob iglob type "
    "type-not hidden no-ignore context after-context before-context max-count max-depth sort "
    "color heading no-heading json vimgrep stats max-columns type-list regexp follow",
    "sort": "bdfghinMrRstukVzc numeric-sort reverse unique key field-separator human-numeric-sort "
    "version-sort ignore-case general-numeric-sort check",
    "uniq": "cdDfisuwz count repeated unique ignore-case skip-fields skip-chars",
    "cut": "bcdfnsz bytes characters delimiter fields complement output-delimiter",
    "tr": "cCdst complement delete squeeze-repeats",
    "nl": "bdfhilnpsvw",
    "tac": "",
    "rev": "",
    "fold": "bsw",
    "column": "tsnc table separator",
    "paste": "dsz",
    "join": "12aeijotv",
    "comm": "123 output-delimiter",
    "diff": "abBcdeEiNpqrsuUwyZ brief recursive unified context ignore-all-space color "
    "side-by-side new-file report-identical-files ignore-blank-lines",
    "cmp": "bilns",
    "od": "AbcdfijlNostvwx",
    "xxd": "abceEgilopsu",
    "hexdump": "bcCdnosvx",
    "strings": "aentf",
    "file": "bikLz brief mime mime-type",
    "stat": "cfLt format dereference file-system printf",
    "du": "aAbcdhHkLmsSx all human-readable summarize max-depth total apparent-size exclude",
    "df": "ahHikTl human-readable all inodes print-type",
    "tree": "adfiFghlLnpsuCDIPrtv dirsfirst noreport prune gitignore",
    "pwd": "LP",
    "echo": ANY,
    "printf": "",
    "true": ANY,
    "false": ANY,
    ":": ANY,
    "test": ANY,
    "[": ANY,
    "which": "a",
    "type": "afptP",
    "whoami": "",
    "id": "gGnru",
    "uname": "amnrsvpio",
    "hostname": "fsi",
    "date": "uRI iso-8601 rfc-3339 utc",
    "uptime": "ps",
    "nproc": "all",
    "free": "bghkmt",
    "ps": "aAcefjlnNpTuUvwxo sort no-headers forest",
    "pgrep": "aflnouxP",
    "basename": "asz suffix",
    "dirname": "z",
    "realpath": "eLmPqsz relative-to relative-base",
    "readlink": "efmnqvz",
    "seq": "fsw",
    "sleep": "",
    "cd": "LP",
    "jq": "acCeMnrRsSj raw-output compact-output slurp sort-keys arg argjson exit-status tab",
    "yq": "rPMo",
    "md5sum": "bctz check",
    "sha1sum": "bctz check",
    "sha256sum": "bctz check",
    "cksum": "",
    "man": "kf",
    "locale": "a",
    "tput": "",
    "exit": "",
    "return": "",
    "export": "",
    "set": "euxo",
    "wait": "",
    "lsof": "inPtp",
    "lscpu": "",
    "arch": "",
}
"""Letters of short flags, then names of long ones."""

GIT: dict[str, str] = {
    "status": "sbuzv short branch porcelain long untracked-files ignored show-stash ahead-behind",
    "diff": "puUwbMCDRaz stat numstat shortstat name-only name-status cached staged patch color "
    "no-color word-diff unified ignore-all-space ignore-space-change check summary diff-filter "
    "find-renames exit-code quiet merge-base no-ext-diff no-textconv dirstat minimal histogram",
    "log": "pnuUMCSGLgicEFz oneline graph all decorate stat numstat shortstat name-only patch "
    "name-status since until after before author grep format pretty abbrev-commit reverse "
    "first-parent merges no-merges max-count date follow branches tags remotes no-color color "
    "diff-filter "
    "cherry-pick left-right simplify-by-decoration show-signature no-ext-diff no-textconv",
    "show": "pnuUMCsz stat numstat name-only name-status oneline format pretty no-patch patch "
    "abbrev-commit date color no-color summary no-ext-diff no-textconv",
    "blame": "LCMwsefnl date color-lines porcelain line-porcelain",
    "shortlog": "sne numbered summary email all since until",
    "describe": "a tags all always long dirty abbrev match exact-match contains",
    "rev-parse": "q short verify abbrev-ref show-toplevel git-dir show-prefix is-inside-work-tree",
    "rev-list": "n count all max-count since until left-right no-merges",
    "ls-files": "cdmoiszt cached deleted modified others ignored exclude-standard stage",
    "ls-tree": "drtlz name-only full-tree",
    "ls-remote": "",
    "grep": "niwvlLcEFPhAzBCpqe line-number ignore-case files-with-matches count cached untracked",
    "cat-file": "tsep",
    "branch": "avrl all verbose remotes list show-current contains merged no-merged sort format",
    "tag": "ln list sort contains merged format",
    "remote": "v verbose",
    "stash": "",
    "reflog": "n",
    "config": "l list get get-all get-regexp show-origin global local",
    "worktree": "",
    "merge-base": "a is-ancestor all",
    "name-rev": "name-only",
    "cherry": "v",
    "count-objects": "vH",
    "check-ignore": "v verbose",
    "version": "",
    "help": "",
}
GIT_WORDS = {
    "branch": (),
    "tag": (),
    "remote": ("show", "get-url"),
    "stash": ("list", "show"),
    "reflog": ("show",),
    "worktree": ("list",),
}
"""Git commands that change something with other words than these after them."""

VERSIONS = frozenset({"--version", "-V", "-v", "version", "--help", "-h"})
TOOLS = {
    "pip": ("list", "show", "freeze", "check"),
    "pip3": ("list", "show", "freeze", "check"),
    "npm": ("ls", "list", "outdated", "view", "root", "prefix"),
    "cargo": ("tree", "metadata"),
    "go": ("version", "env", "list"),
    "docker": ("ps", "images", "version", "info"),
    "gh": (),
}
"""Programs that only read with these first words."""


def only_reads(command: Simple) -> bool:
    """Whether the program changes nothing, runs nothing else and sends nothing anywhere."""
    if command.assignments or not command.words or not command.words[0].literal:
        return False
    name, args = command.name, [word.text for word in command.words[1:]]
    if "/" in command.words[0].text and not command.words[0].text.startswith(
        ("/bin/", "/usr/bin/")
    ):
        return False
    if len(args) == 1 and args[0] in VERSIONS and name not in ("sudo", "rm"):
        return args[0] != "-v" or name in ("node", "npm", "ruby", "php")
    match name:
        case "git":
            return _git_reads(args)
        case "find" | "fd":
            return _find_reads(args)
        case "sed":
            return _sed_reads(args)
        case "date" if any(a in ("-s", "--set") for a in args):
            return False
        case "hostname" if any(not a.startswith("-") for a in args):
            return False
        case _ if name in TOOLS:
            return bool(args) and args[0] in TOOLS[name]
        case _:
            values = VALUE_LETTERS.get(name, "")
            return name in PROGRAMS and flags_known(args, PROGRAMS[name], values)


VALUE_LETTERS = {
    "cut": "dfcb",
    "sort": "kt",
    "head": "cn",
    "tail": "cn",
    "column": "ts",
    "fold": "w",
}
"""Short flags whose value may follow at once: `cut -d:`."""


def flags_known(args: list[str], spec: str, values: str = "") -> bool:
    """Whether every flag is on the list (digits are values)."""
    if spec == ANY:
        return True
    first, _, rest = spec.partition(" ")
    longs = set(rest.split())
    for arg in args:
        if arg == "--":
            return True
        if arg.startswith("--"):
            if arg[2:].partition("=")[0] not in longs:
                return False
        elif arg.startswith("-") and len(arg) > 1:
            letters = arg[1:].partition("=")[0]
            if letters[0] in values:
                continue
            if not (letters[0] in first and (len(letters) == 1 or _rest_known(letters, first))):
                return letters.isdigit() and _numbers_ok(first)
    return True


def _rest_known(letters: str, known: str) -> bool:
    return all(letter in known or letter.isdigit() for letter in letters)


def _numbers_ok(known: str) -> bool:
    return "n" in known


def _git_reads(args: list[str]) -> bool:
    args = args[1:] if args[:1] == ["--no-pager"] else args
    if not args or args[0] not in GIT:
        return args == ["--version"]
    command, rest = args[0], args[1:]
    words = [arg for arg in rest if not arg.startswith("-")]
    if command in GIT_WORDS and words and not _listing(command, rest, words):
        return False
    if command == "config" and not any(a.startswith(("--get", "-l", "--list")) for a in rest):
        return False
    if command == "stash" and not words:
        return False
    return _numbers_aside(rest, GIT[command])


def _listing(command: str, rest: list[str], words: list[str]) -> bool:
    if words[0] in GIT_WORDS[command]:
        return True
    lists = {"--list", "-l", "--contains", "--merged", "--no-merged", "--sort"}
    return command in ("branch", "tag") and any(a.partition("=")[0] in lists for a in rest)


def _numbers_aside(args: list[str], spec: str) -> bool:
    return flags_known([arg for arg in args if not arg[1:].isdigit()], spec)


FIND = frozenset(
    {"-name", "-iname", "-path", "-ipath", "-type", "-maxdepth", "-mindepth", "-size", "-mtime"}
    | {
        "-mmin",
        "-newer",
        "-not",
        "-and",
        "-or",
        "-o",
        "-a",
        "-print",
        "-print0",
        "-prune",
        "-empty",
    }
    | {"-regex", "-iregex", "-user", "-group", "-perm", "-ls", "-L", "-H", "-P", "-depth", "-xdev"}
)


def _find_reads(args: list[str]) -> bool:
    return all(arg in FIND for arg in args if arg.startswith("-") and len(arg) > 1)


def _sed_reads(args: list[str]) -> bool:
    """`sed -n 10,20p file` and its like: print commands only."""
    if len(args) < 2 or args[0] not in ("-n", "-nE", "-En"):
        return False
    import re

    parts = args[1].split(";")
    return all(re.fullmatch(r"\s*[\d$,/\w .^*\-]*p\s*", part) for part in parts) and not any(
        arg.startswith("-") for arg in args[2:]
    )
