use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use rstest::rstest;

use super::*;
use crate::store::contract::{self, Fixture, START};
use sidegate_filters::clock::ManualClock;

fn hash() -> PasswordHash {
    static HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::of(b"secret").unwrap());
    HASH.clone()
}

fn fixture() -> Fixture<dyn Users> {
    let folder = tempfile::tempdir().unwrap();
    let store = UsersFile::open(folder.path().join("users")).unwrap();
    Fixture { store: Arc::new(store), clock: Arc::new(ManualClock::new(START)), _folder: Some(folder) }
}

contract::users_contract!(fixture);

fn write(path: &Path, text: &str) {
    private_file::replace(path, text.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_second_process_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let (server, cli) = (UsersFile::open(&path).unwrap(), UsersFile::open(&path).unwrap());
    let user = cli.add("jeff", hash()).await.unwrap();
    assert_eq!(server.by_ext_id(&user.ext_id).await.unwrap(), Some(user));
    cli.remove("jeff").await.unwrap();
    assert_eq!(server.by_name("jeff").await.unwrap(), None);
}

#[tokio::test]
async fn writers_of_two_processes_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let results = contract::race(24, |number| {
        let file = UsersFile::open(&path).unwrap();
        async move { file.add(&format!("user-{number}"), hash()).await }
    })
    .await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(UsersFile::open(&path).unwrap().list().await.unwrap().len(), 24);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn comments_and_other_users_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    write(&path, &format!("# people\njeff:1:{0}\n\neve:2:{0}\n", hash().as_str()));
    let file = UsersFile::open(&path).unwrap();
    file.remove("jeff").await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("# people\n#removed:1\n\neve:2:{}\n", hash().as_str()));
    let other = PasswordHash::of(b"other").unwrap();
    file.set_password("eve", other.clone()).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("# people\n#removed:1\n\neve:2:{}\n", other.as_str()));
}

#[tokio::test]
async fn a_fault_answers_nobody_until_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let good = format!("jeff:1:{}\n", hash().as_str());
    write(&path, &good);
    let file = UsersFile::open(&path).unwrap();
    write(&path, &format!("{good}eve\n"));
    for _ in 0..2 {
        let error = file.by_name("jeff").await.unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
    assert!(file.add("eve", hash()).await.is_err(), "a file with a fault is not written over");
    write(&path, &good);
    assert!(file.by_name("jeff").await.unwrap().is_some());
}

fn line(name: &str, cost: &str) -> String {
    format!("{name}:{name}:$argon2id$v=19${cost}$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo\n")
}

#[tokio::test]
async fn the_dearest_hash_that_a_line_may_have_is_good_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let dearest = line("old", "m=262144,t=4,p=1");
    write(&path, &dearest);
    let file = UsersFile::open(&path).unwrap();
    assert!(file.by_name("old").await.unwrap().is_some(), "alone");
    file.add("jeff", hash()).await.unwrap();
    assert!(file.by_name("old").await.unwrap().is_some(), "beside one that is made here");
    write(&path, &format!("{dearest}{}", line("eve", "m=8,t=1,p=1")));
    let error = file.by_name("old").await.unwrap_err().to_string();
    let told = ["line 2", "more than 1048576", "that users are added with is not counted"];
    assert!(told.iter().all(|told| error.contains(told)), "{error}");
}

#[tokio::test]
async fn hashes_that_ask_for_too_much_are_a_fault_of_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let old = line("old", "m=65536,t=6,p=4");
    write(&path, &old);
    let file = UsersFile::open(&path).unwrap();
    assert_eq!(file.costs().await.unwrap().without(None).count(), 2, "with that of the next user");
    for (dear, wrong) in [("m=2097152,t=1,p=4", "m=262144 at most"), ("m=262144,t=3,p=1", "all kinds of hashes")] {
        write(&path, &format!("{old}{}", line("dear", dear)));
        let error = file.by_name("old").await.unwrap_err().to_string();
        let told = [path.to_str().unwrap(), "line 2", wrong];
        assert!(told.iter().all(|told| error.contains(told)) && !error.contains("aGFz"), "{error}");
    }
}

#[tokio::test]
async fn what_fails_once_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    write(&path, &format!("jeff:1:{}\n", hash().as_str()));
    for (kind, passes) in [(io::ErrorKind::Other, true), (io::ErrorKind::PermissionDenied, false)] {
        let fails = Arc::new(AtomicBool::new(false));
        let failing = fails.clone();
        let read = move |path: &Path| match failing.swap(false, Ordering::Relaxed) {
            true => Err(io::Error::new(kind, "the reason")),
            false => private_file::read_own(path),
        };
        let file = UsersFile::read_by(path.clone(), false, Box::new(read)).unwrap();
        fails.store(true, Ordering::Relaxed);
        let error = file.by_name("jeff").await.unwrap_err().to_string();
        assert!(error.contains("the reason"), "{error}");
        assert_eq!(file.by_name("jeff").await.is_ok(), passes, "{kind}");
    }
}

#[tokio::test]
async fn a_file_that_was_lost_is_not_a_file_without_users() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let file = UsersFile::open(&path).unwrap();
    assert!(file.list().await.unwrap().is_empty(), "it never was there");
    let jeff = file.add("jeff", hash()).await.unwrap();
    let good = fs::read_to_string(&path).unwrap();
    for lost in [None, Some(""), Some("\n \n")] {
        fs::remove_file(&path).unwrap();
        if let Some(text) = lost {
            write(&path, text);
        }
        let error = file.password_stamp(&jeff.ext_id).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("put it back")), "{lost:?}: {error}");
        assert!(file.by_name("jeff").await.is_err() && file.list().await.is_err());
        assert!(file.add("eve", hash()).await.is_err(), "it is not begun anew");
        let error = UsersFile::open_used(&path).err().expect("nor at the next start").to_string();
        assert!(error.contains("--new-users-file"), "{error}");
        write(&path, &good);
        assert!(file.password_stamp(&jeff.ext_id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn without_its_last_user_a_file_is_no_lost_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let (server, cli) = (UsersFile::open(&path).unwrap(), UsersFile::open(&path).unwrap());
    cli.add("jeff", hash()).await.unwrap();
    assert_eq!(server.list().await.unwrap().len(), 1);
    cli.remove("jeff").await.unwrap();
    assert!(server.list().await.unwrap().is_empty());
    assert!(UsersFile::open_used(&path).is_ok(), "at the next start, too");
    server.add("eve", hash()).await.unwrap();
    assert!(cli.by_name("eve").await.unwrap().is_some());
}

#[tokio::test]
async fn a_new_folder_has_a_file_that_can_be_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    for empty in [None, Some("")] {
        empty.into_iter().for_each(|text| write(&path, text));
        assert!(UsersFile::open_new(&path).unwrap().list().await.unwrap().is_empty());
        assert!(UsersFile::open_used(&path).is_ok());
    }
    let jeff = UsersFile::open(&path).unwrap().add("jeff", hash()).await.unwrap();
    assert_eq!(UsersFile::open_new(&path).unwrap().list().await.unwrap(), [jeff], "users who came first stay");
}

#[rstest]
#[case::no_hash("jeff:1", "name:extId:hash or name:extId:hash:role,role")]
#[case::plain_text("jeff:1:secret", "argon2id")]
#[case::no_name(":1:HASH", "name is empty")]
#[case::no_ext_id("jeff::HASH", "extId is empty")]
#[case::name_twice("jeff:1:HASH\njeff:2:HASH", "name stands twice")]
#[case::ext_id_twice("jeff:1:HASH\neve:1:HASH", "extId stands twice")]
fn faults_are_named_and_not_repeated(#[case] text: &str, #[case] reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    write(&path, &text.replace("HASH", hash().as_str()));
    let error = UsersFile::open(&path).err().unwrap().to_string();
    assert!(error.contains(reason) && error.contains("line "), "{error}");
    assert!(!error.contains("secret") && !error.contains("argon2id$"), "{error}");
}

#[tokio::test]
async fn a_name_that_was_short_enough_once_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    let long = "\u{1f600}".repeat(128);
    write(&path, &format!("{long}:1:{0}\njeff:2:{0}\n", hash().as_str()));
    let file = UsersFile::open(&path).unwrap();
    assert_eq!(file.by_name("jeff").await.unwrap().unwrap().ext_id.as_str(), "2");
    assert_eq!(file.remove(&long).await.unwrap().unwrap().ext_id.as_str(), "1");
    assert!(matches!(file.add(&long, hash()).await, Err(UserError::BadName)), "a new one is to fit");
    write(&path, &format!("{long}x:1:{}\n", hash().as_str()));
    assert!(file.by_name("jeff").await.is_err());
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    write(&path, "");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(UsersFile::open(&path).err().unwrap().to_string().contains("chmod 600"));
}

/// Other tasks of the one thread go on while the file is read.
#[tokio::test]
async fn a_file_that_takes_long_to_read_holds_no_worker_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    write(&path, &format!("jeff:1:{}\n", hash().as_str()));
    let (others, go_on) = std::sync::mpsc::channel();
    let (go_on, first) = (Mutex::new(go_on), AtomicBool::new(true));
    let read = move |path: &Path| {
        if !first.swap(false, Ordering::Relaxed) {
            let waited = go_on.lock().unwrap().recv_timeout(Duration::from_secs(10));
            waited.map_err(|_| io::Error::other("nobody else could go on"))?;
        }
        private_file::read_own(path)
    };
    let file = UsersFile::read_by(path, false, Box::new(read)).unwrap();
    let asked = [file.by_name("jeff"), file.by_name("eve")];
    let (found, ()) = tokio::join!(futures::future::join_all(asked), async { others.send(()).unwrap() });
    let found: Vec<_> = found.into_iter().map(|user| user.unwrap().map(|user| user.name)).collect();
    assert_eq!(found, [Some("jeff".to_owned()), None], "one read for both");
}
