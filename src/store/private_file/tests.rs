use std::os::unix::fs::{chown, symlink};

use super::*;

/// An account that is not root's.
const OTHER: u32 = 65534;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    (folder, file)
}

/// What reading and opening it say.
fn refusals(path: &Path) -> [String; 2] {
    [read_own(path).map(|_| ()), open_or_make(path).map(|_| ())].map(|tried| tried.unwrap_err().to_string())
}

#[test]
fn what_is_behind_a_link_is_neither_read_nor_written() {
    let (_folder, target) = folder();
    replace(&target, b"elsewhere").unwrap();
    let (_other, link) = folder();
    for to in [target.as_path(), Path::new("/nowhere/at/all")] {
        symlink(to, &link).unwrap();
        for told in refusals(&link) {
            assert!(told.ends_with("file is a link; remove it"), "{told}");
        }
        assert!(!create(&link, b"x").unwrap());
        fs::remove_file(&link).unwrap();
    }
    symlink(&target, &link).unwrap();
    replace(&link, b"new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_file(), "the link is replaced, not followed");
    assert_eq!(fs::read(&target).unwrap(), b"elsewhere");
}

#[test]
fn opening_never_waits() {
    let (_folder, fifo) = folder();
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&fifo).status().unwrap();
    assert!(made.success());
    for told in refusals(&fifo) {
        assert!(told.ends_with("is no regular file; remove it"), "{told}");
    }
}

#[test]
fn a_file_of_another_account_is_refused() {
    let (_folder, file) = folder();
    replace(&file, b"x").unwrap();
    // Only root can give a file away: elsewhere what is asserted of it can't be seen, and the test says so.
    if Account::of_process().uid() != Account::ROOT {
        return println!("not run as root: files of other accounts are not looked at");
    }
    chown(&file, Some(OTHER), Some(OTHER)).unwrap();
    for told in refusals(&file) {
        assert!(told.contains("belongs to the account ") && told.contains("(chown -h 0 "), "{told}");
    }
}

#[test]
fn a_probe_leaves_nothing() {
    let (folder, file) = folder();
    probe(&file).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(probe(&file.join("below")).unwrap_err().to_string().contains("file/below"));
}
