"""Where the engines' files live and as whom the engines run.

Not as root: in the data folder, as ourselves. As root: as an unprivileged user. Where that user can't reach the data folder
(a clone below /root, a folder of mode 700), nobody's permissions are widened; the engines' files go to a system folder, and
the data folder holds links to them. The same goes for the programs: those that the user can't run are copied.
"""

import hashlib
import os
import pwd
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from lineset.embedded.faults import EngineFault
from lineset.embedded.process import Account, run

SYSTEM_FOLDER = "/var/lib/lineset"
_OWNER = "data-folder"  # in a system folder: the path of the data folder that it belongs to
_MAX_SOCKET_FOLDER = 90  # bytes; the whole path of a socket must stay below 108


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one engine and the account it runs as (None: ourselves)."""

    folder: Path
    account: Account | None

    def private(self, name: str) -> Path:
        """A folder in it that the engine owns and nobody else may enter."""
        path = self.folder / name
        path.mkdir(mode=0o700, exist_ok=True)
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)
        return path

    def write(self, name: str, content: str | bytes, *, secret: bool = False) -> Path:
        """A file in it that the engine may read and not change; with `secret`, nobody else may read it."""
        path = self.folder / name
        draft = self.folder / f".{name}.new"
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400 if secret else 0o644)
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), 0o400 if secret else 0o644)
            if secret and self.account is not None:
                os.fchown(file.fileno(), self.account.uid, self.account.gid)
        draft.replace(path)
        return path

    def socket_folder(self) -> Path:
        """A private folder for sockets whose path is short enough for one."""
        if len(os.fsencode(self.folder / "socket")) <= _MAX_SOCKET_FOLDER:
            return self.private("socket")
        key = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        path = Path("/tmp") / f"lineset-{os.geteuid()}-{key}"  # noqa: S108 - made private and checked below
        path.mkdir(mode=0o700, exist_ok=True)
        owner = self.account.uid if self.account else os.geteuid()
        state = path.lstat()
        if path.is_symlink() or state.st_uid not in (os.geteuid(), owner) or state.st_mode & 0o077:
            raise EngineFault("socket_folder", f"{path} belongs to somebody else. Remove it, or choose a data folder with a shorter path.")
        if self.account is not None:
            os.chown(path, owner, self.account.gid, follow_symlinks=False)
        return path

    def program(self, tree: Path, relative: str, version: str, leave_out: tuple[str, ...] = ()) -> Path:
        """The program at `tree`/`relative`, or, where the engine's account can't run it, its copy in this place."""
        program = tree / relative
        if run([str(program), "--version"], self.account)[0] == 0:
            return program
        copy = self.folder / f"programs-{version}"
        if not copy.exists():
            draft = self.folder / ".programs.new"
            shutil.rmtree(draft, ignore_errors=True)
            top = Path(relative).parts[0]
            if (tree / top).is_file():
                draft.mkdir(mode=0o755)
                shutil.copy2(tree / top, draft / top)
            else:
                for part in sorted(tree.glob(f"{top}*")):
                    if not part.name.endswith(".dist-info"):
                        shutil.copytree(part, draft / part.name, ignore=shutil.ignore_patterns(*leave_out, "__pycache__"))
            _open_to_read(draft)
            for old in self.folder.glob("programs-*"):
                shutil.rmtree(old)
            draft.rename(copy)
        code, said = run([str(copy / relative), "--version"], self.account)
        if code != 0:
            raise EngineFault("program", f"{copy / relative} can't be run: {said.strip()}. Install Lineset again.")
        return copy / relative


def _open_to_read(tree: Path) -> None:
    """A copy made under any umask: everybody may read it, only we may write."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def place_of(data: Path, engine: str) -> Place:
    """The place of that engine for this data folder, made at first use.

    Raises:
        EngineFault: it exists and can't be used; the message says what to do.
    """
    data.mkdir(parents=True, exist_ok=True)
    link = data / engine
    if os.geteuid() != 0:
        return Place(_own(link), None)
    account = _account()
    if link.is_symlink():
        return Place(_linked(data, link), account)
    if link.is_dir() and (owner := link.stat().st_uid) != 0:  # made by an ordinary user, who then stays the engines' user
        account = Account.of(owner)
    reached = _reaches(account, data)
    if link.is_dir():
        if not reached:
            _move_out(data, link)
            return Place(_linked(data, link), account)
        return Place(link.resolve(), account)
    if reached:
        link.mkdir(mode=0o755)
        link.chmod(0o755)
        return Place(link.resolve(), account)
    _point_to(link, _system_folder(data) / engine)
    return Place(_linked(data, link), account)


def _own(link: Path) -> Path:
    link.mkdir(exist_ok=True)
    if link.stat().st_uid != os.geteuid():
        owner = pwd.getpwuid(link.stat().st_uid).pw_name
        raise EngineFault(
            "not_ours", f"{link} belongs to {owner}, because Lineset ran as root here. Start it as root again, or choose another --data."
        )
    return link.resolve()


def _account() -> Account:
    """The user `lineset` where the machine has one, else `nobody`."""
    for name in ("lineset", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise EngineFault("no_account", "Lineset runs as root and finds no unprivileged user for its engines: useradd --system lineset")


def _reaches(account: Account, folder: Path) -> bool:
    # asked by trying, so that access lists and mount options count too
    return run(["test", "-x", str(folder)], account)[0] == 0


def _system_root() -> Path:
    root = Path(os.environ.get("LINESET_SYSTEM_FOLDER") or SYSTEM_FOLDER)
    try:
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineFault(
            "system_folder",
            f"The engines' user can't reach the data folder, and {root} can't be made ({error.strerror}). "
            "Choose a data folder that others may enter with --data, or name a system folder in LINESET_SYSTEM_FOLDER.",
        ) from error
    return root


def _system_folder(data: Path) -> Path:
    """The system folder that both engines of this data folder share. Its name is drawn, so a data folder that was deleted and made
    anew starts empty and never finds the old one's database."""
    for link in data.iterdir():
        if link.is_symlink() and (link.readlink().parent / _OWNER).exists():
            return link.readlink().parent
    folder = _system_root() / secrets.token_hex(8)
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / _OWNER).write_text(f"{data}\n")
    return folder


def _point_to(link: Path, target: Path) -> None:
    target.mkdir(mode=0o755)
    target.chmod(0o755)
    link.symlink_to(target)


def _move_out(data: Path, folder: Path) -> None:
    """The data folder has become unreachable since: its engine's files follow to the system folder."""
    target = _system_folder(data) / folder.name
    code, said = run(["cp", "-a", str(folder), str(target)], None)
    if code != 0:
        shutil.rmtree(target, ignore_errors=True)
        raise EngineFault("move", f"{folder} must move to {target.parent}, where the database's user can reach it: {said.strip()}")
    shutil.rmtree(folder)
    folder.symlink_to(target)


def _linked(data: Path, link: Path) -> Path:
    target = link.readlink()
    owner_file = target.parent / _OWNER
    if not target.is_dir() or not owner_file.is_file():
        raise EngineFault(
            "place_gone", f"{link} points to {target}, which is gone. Bring it back from a backup, or delete {data} to start empty."
        )
    owner = Path(owner_file.read_text().strip())
    if owner != data:
        if (owner / link.name).is_symlink() and (owner / link.name).readlink() == target:
            raise EngineFault(
                "place_shared",
                f"{data} is a copy of {owner}, and {target} belongs to that one. Two can't share it: delete {data}, or the original.",
            )
        owner_file.write_text(f"{data}\n")  # the data folder was moved
    return target


def abandoned(data: Path) -> list[Path]:
    """System folders that an earlier data folder of the same path left behind."""
    root = Path(os.environ.get("LINESET_SYSTEM_FOLDER") or SYSTEM_FOLDER)
    used = {link.readlink().parent for link in data.iterdir() if link.is_symlink()} if data.is_dir() else set()
    owners = root.glob(f"*/{_OWNER}")
    return [owner.parent for owner in owners if owner.parent not in used and owner.read_text().strip() == str(data)]
