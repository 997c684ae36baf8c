use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use sidegate_filters::clock::{ManualClock, SystemClock};

use super::*;
use crate::store::contract::belongings::Household;
use crate::store::contract::{self, Fixture, START};
use crate::store::{Credentials, ExtId, KeysBehind, Replays, Standing, Targets};

fn embedded() -> (Embedded, Arc<ManualClock>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let store = Embedded::open(&folder.path().join("store.redb"), clock.clone()).unwrap();
    (store, clock, folder)
}

macro_rules! suite {
    ($name:ident, $store:path, $contract:ident) => {
        mod $name {
            use super::*;

            fn fixture() -> Fixture<dyn $store> {
                let (store, clock, folder) = embedded();
                Fixture { store: Arc::new(store), clock, _folder: Some(folder) }
            }

            contract::$contract!(fixture);
        }
    };
}

suite!(targets, Targets, targets_contract);
suite!(belongings, Household, belongings_contract);
suite!(credentials, Credentials, credentials_contract);
suite!(keys_behind, KeysBehind, keys_behind_contract);
suite!(replays, Replays, replays_contract);

fn open(path: &Path) -> Result<Embedded, EmbeddedError> {
    Embedded::open(path, Arc::new(SystemClock))
}

#[tokio::test]
async fn reopened_everything_is_there() {
    let (store, clock, folder) = embedded();
    let target = contract::targets::target("jeff", "phone");
    let credential = contract::credentials::credential("jeff", "FFFF#0001", 1);
    store.create(target.clone()).await.unwrap();
    store.add_all(vec![credential.clone()], None).await.unwrap();
    store.advance_all(&[(credential.key.clone(), 9)], START).await.unwrap();
    let behind = contract::keys_behind::key("jeff", 2, Standing::Confirmed);
    store.learn(vec![behind.clone()]).await.unwrap();
    assert!(store.remember(&["id"], START.after(std::time::Duration::from_secs(300))).await.unwrap());
    drop(store);
    let store = Embedded::open(&folder.path().join("store.redb"), clock).unwrap();
    assert_eq!(Targets::get(&store, &target.id).await.unwrap(), Some(target));
    assert_eq!(Credentials::get(&store, &credential.key).await.unwrap().unwrap().sign_counter, 9);
    assert_eq!(store.of_owner(&"jeff".into()).await.unwrap(), [behind]);
    assert!(!store.remember(&["id"], START).await.unwrap());
}

#[test]
fn a_credential_of_before_is_read() {
    let credential = contract::credentials::credential("jeff", "FFFF#0001", 1);
    let mut before = serde_json::to_value(&credential).unwrap();
    assert_eq!(before.as_object_mut().unwrap().remove("pictures").unwrap(), "[]");
    let read: crate::store::Credential = decode(before.to_string().as_bytes()).unwrap();
    assert_eq!(read, crate::store::Credential { pictures: None, ..credential });
}

#[test]
fn the_file_is_ours_alone() {
    let (store, _, folder) = embedded();
    let path = folder.path().join("store.redb");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(open(&path).err().unwrap().to_string().contains("chmod 600"));
}

#[test]
fn a_second_gateway_is_told_why() {
    let (_store, _, folder) = embedded();
    let error = open(&folder.path().join("store.redb")).err().unwrap();
    assert!(matches!(error, EmbeddedError::InUse(_)), "{error}");
    assert!(error.to_string().contains("store.redb is in use"));
}

#[test]
fn another_process_may_read_meanwhile() {
    let (_store, _, folder) = embedded();
    let mut builder = Database::builder();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    assert!(builder.open_read_only(folder.path().join("store.redb")).is_ok());
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let (store, _, folder) = embedded();
    let path = folder.path().join("store.redb");
    drop(store);
    let good = fs::read(&path).unwrap();
    let damages = [b"not a database".to_vec(), good[..good.len() / 2].to_vec(), vec![0; good.len()]];
    for damage in damages {
        fs::write(&path, &damage).unwrap();
        let error = open(&path).err().unwrap();
        assert!(matches!(error, EmbeddedError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("store.redb"));
        assert_eq!(fs::read(&path).unwrap(), damage);
    }
    fs::write(&path, &good).unwrap();
    assert!(open(&path).is_ok());
}

#[test]
fn a_start_that_was_cut_short_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    for half in [&b""[..], b"redb\x1a\x0a\xa9", &[0; 8192]] {
        fs::write(folder.path().join("store.redb.begun"), half).unwrap();
        assert!(open(&path).is_ok() && !folder.path().join("store.redb.begun").exists());
        fs::remove_file(&path).unwrap();
        fs::remove_file(place::mark(&path)).unwrap();
    }
}

#[test]
fn a_lost_file_is_no_new_one() {
    let (store, _, folder) = embedded();
    let (path, aside) = (folder.path().join("store.redb"), folder.path().join("aside"));
    drop(store);
    fs::rename(&path, &aside).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, EmbeddedError::Lost(_)) && error.to_string().contains("remove "), "{error}");
    assert!(!path.exists() && Embedded::was_made(&path).unwrap());
    private_file::replace(&path, b"").unwrap();
    let error = open(&path).err().unwrap();
    assert!(error.to_string().contains("empty") && error.to_string().contains("store.redb.made"), "{error}");
    // A file of before there were marks gets one.
    fs::rename(&aside, &path).unwrap();
    fs::remove_file(place::mark(&path)).unwrap();
    assert!(open(&path).is_ok() && place::mark(&path).exists());
}

#[test]
fn what_only_the_file_system_refuses_is_not_called_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let full = || io::Error::from(ErrorKind::StorageFull);
    for error in [redb::Error::Io(full()), redb::Error::PreviousIo, redb::Error::Unsupported] {
        let told = refused(&path, error);
        assert!(matches!(told, EmbeddedError::Io(_)), "{told}");
        assert!(told.to_string().contains("store.redb: ") && !told.to_string().contains("backup"), "{told}");
    }
    std::os::unix::fs::symlink(folder.path().join("nowhere/store.redb"), &path).unwrap();
    assert!(matches!(open(&path), Err(EmbeddedError::Io(_))));
}

const CHILD: &str = "SIDEGATE_TEST_EMBEDDED_CHILD";

/// Not a test of its own: the process that [`acknowledged_means_durable`] kills.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = open(Path::new(&path)).unwrap();
    let until = SystemClock.now().after(std::time::Duration::from_secs(3600));
    for number in 0.. {
        assert!(store.remember(&[&format!("id-{number}")], until).await.unwrap());
        let mut out = std::io::stdout();
        writeln!(out, "kept {number}").and_then(|()| out.flush()).unwrap();
    }
}

#[tokio::test]
async fn acknowledged_means_durable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut kept = Vec::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::embedded::tests::child_that_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        if let Some((_, number)) = line.split_once("kept ") {
            kept.push(number.to_owned());
            if kept.len() == 200 {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    assert!(kept.len() >= 200);
    let store = open(&path).unwrap();
    let until = SystemClock.now().after(std::time::Duration::from_secs(3600));
    for number in kept {
        assert!(!store.remember(&[&format!("id-{number}")], until).await.unwrap(), "id-{number} was acknowledged");
    }
    assert!(store.remember(&["another"], until).await.unwrap());
    assert!(Targets::owners(&store).await.unwrap().is_empty());
    assert!(Targets::list(&store, &ExtId::from("jeff")).await.unwrap().is_empty());
}
