"""The rows of the command table that concern the platform on this machine."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import LONG_JSON, command

_PASSPHRASE = Flag("passphrase-file", "file with the passphrase it is encrypted with", value="file")
_KEEP = Flag("keep", "how many backups stay in the folder; older ones go", value="number", number=True)

PLATFORM_TOPICS = {"backups": "backups of the whole platform on this machine"}

PLATFORM_COMMANDS: tuple[Command, ...] = (
    command(
        "up",
        "platform:up",
        "run the platform on this machine",
        Flag("detach", "run in the background, return when it is ready", char="d"),
        Flag("port", "port for HTTPS, API and git (default 8443; 0: any free one)", value="number", number=True),
        Flag("http-port", "port for plain HTTP (default 8080; 0: any free one)", value="number", number=True),
        Flag("ssh-port", "port for git over SSH (default 2222; 0: any free one)", value="number", number=True),
        Flag("domain", "domain of the platform (default localhost)", value="name"),
        Flag("email", "address for the certificate authority and the first user", value="address"),
        Flag("bind", "address to listen on", value="address", hidden=True),
        examples=("up", "up --detach", "up --domain example.com --email me@example.com"),
        own=True,
    ),
    command(
        "down",
        "platform:down",
        "stop the platform and its dynos",
        Flag("keep-dynos", "leave the dynos running"),
        own=True,
    ),
    command("status", "platform:status", "say what runs on this machine", LONG_JSON, own=True),
    command(
        "backup",
        "platform_backup:back_up",
        "write the whole platform into one file, while it runs",
        Argument("to", "file or folder (default: backups in $HOMEPORT_HOME), - for stdout", required=False),
        _PASSPHRASE,
        _KEEP,
        Flag("verify", "instead: read this backup to its end and say whether it is whole", value="file"),
        LONG_JSON,
        examples=(
            "backup",
            "backup /mnt/disk --passphrase-file ~/passphrase --keep 7",
            "backup --verify /mnt/disk/homeport.tar.zst",
        ),
        own=True,
    ),
    command("backups", "platform_backup:list_backups", "list the backups of the platform", LONG_JSON, own=True),
    command(
        "backups:schedule",
        "platform_backup:schedule",
        "have the platform backed up every day, and each backup read back",
        Flag("at", "time of the day, in this machine's time zone (such as 03:30)", value="time"),
        Flag("to", "folder (default: backups in $HOMEPORT_HOME)", value="folder"),
        _KEEP,
        _PASSPHRASE,
        LONG_JSON,
        examples=("backups:schedule --at 03:30 --to /mnt/disk --keep 14",),
        own=True,
    ),
    command("backups:unschedule", "platform_backup:unschedule", "make no more backups every day", own=True),
    command(
        "restore",
        "platform_backup:restore",
        "bring a backup of the platform back, into an empty $HOMEPORT_HOME",
        Argument("file", "the backup"),
        _PASSPHRASE,
        LONG_JSON,
        examples=("restore homeport-20260101T030000Z.tar.zst",),
        own=True,
    ),
    command("env", "platform:env", "print what a shell needs to use git and the official CLI", own=True),
)
