use std::os::unix::fs::{chown, symlink};

use super::*;

/// An account that is not root's.
const OTHER: u32 = 65534;

/// A folder of another account. Only root can give one away: elsewhere what is asserted of it can't be seen, and the
/// test says so.
fn foreign() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    if maker(folder.path()).unwrap().uid() != Account::ROOT {
        println!("not run as root: files of other accounts are not looked at");
        return None;
    }
    chown(folder.path(), Some(OTHER), Some(OTHER)).unwrap();
    Some(folder)
}

fn seen(path: &Path) -> (u32, u32, u32) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.uid(), meta.gid(), meta.permissions().mode() & 0o777)
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    let Some(folder) = foreign() else { return };
    let path = |name: &str| folder.path().join(name);
    replace(&path("replaced"), b"1").unwrap();
    replace(&path("replaced"), b"2").unwrap();
    assert!(create(&path("created"), b"1").unwrap());
    assert!(create_public(&path("public"), b"1").unwrap());
    ensure(&path("ensured")).unwrap();
    for name in ["replaced", "created", "ensured"] {
        assert_eq!(seen(&path(name)), (OTHER, OTHER, 0o600), "{name}");
    }
    assert_eq!(seen(&path("public")), (OTHER, OTHER, 0o644));
    assert_eq!(read_own(&path("replaced")).unwrap().unwrap().as_slice(), b"2");
}

#[test]
fn what_is_behind_a_link_of_the_owner_is_neither_given_away_nor_read() {
    let Some(folder) = foreign() else { return };
    let mine = tempfile::tempdir().unwrap();
    let (secret, link) = (mine.path().join("secret"), folder.path().join("link"));
    fs::write(&secret, "of root").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    symlink(&secret, &link).unwrap();
    let error = read_own(&link).unwrap_err().to_string();
    assert!(error.contains("belongs to the account root") && error.contains("chown 65534"), "{error}");
    drop(open_or_make(&link).unwrap());
    ensure(&link).unwrap();
    assert!(!create(&link, b"x").unwrap());
    replace(&link, b"new").unwrap();
    assert_eq!(seen(&secret).0, Account::ROOT);
    assert_eq!(fs::read(&secret).unwrap(), b"of root");
    assert_eq!((read_own(&link).unwrap().unwrap().as_slice(), seen(&link).0), (b"new".as_slice(), OTHER));
}

#[test]
fn who_makes_files_here_is_who_owns_a_new_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(maker(folder.path()).unwrap(), owner(folder.path()).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
