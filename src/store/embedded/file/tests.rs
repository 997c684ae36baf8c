use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use sidegate_filters::clock::ManualClock;

use super::*;
use crate::store::contract::{START, credentials::credential, targets::target};
use crate::store::embedded::{Embedded, builder};
use crate::store::{CredentialError, Credentials, StoreError, Target, TargetError, Targets};

/// What the disk does.
#[derive(Debug, Default)]
struct Disk {
    full: AtomicBool,
    gone: AtomicBool,
}

impl Disk {
    fn check(switch: &AtomicBool) -> io::Result<()> {
        if switch.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// A file on that disk, locked as a real one.
#[derive(Debug)]
struct OnDisk {
    file: FileBackend,
    disk: Arc<Disk>,
}

type Locked = Result<bool, BackendError>;

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        Disk::check(&self.disk.gone).and_then(|()| self.file.read(offset, out))
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        Disk::check(&self.disk.full).and_then(|()| self.file.set_len(len))
    }
    fn sync_data(&self) -> io::Result<()> {
        Disk::check(&self.disk.full).and_then(|()| self.file.sync_data())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        Disk::check(&self.disk.full).and_then(|()| self.file.write(offset, data))
    }
    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked {
        self.file.try_lock_range(start, end)
    }
    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked {
        self.file.try_lock_shared_range(start, end)
    }
    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }
    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }
    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked {
        self.file.query_lock_range(start, end)
    }
}

fn open(path: &Path, disk: &Arc<Disk>) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    builder().create_with_backend(OnDisk { file: FileBackend::new(file)?, disk: disk.clone() })
}

struct Bench {
    store: Embedded,
    disk: Arc<Disk>,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("store.redb");
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let database = open(&path, &disk).unwrap();
    let (again, place) = (disk.clone(), path.clone());
    let store = Embedded::of(&path, database, Box::new(move || open(&place, &again)), clock.clone()).unwrap();
    Bench { store, disk, clock, _folder: folder }
}

impl Bench {
    async fn create(&self, name: &str) -> Result<Target, TargetError> {
        let target = target("jeff", name);
        self.store.create(target.clone()).await.map(|()| target)
    }

    /// Waits for the opening that a question started.
    async fn opened(&self) {
        while self.store.file.reopening.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    fn generation(&self) -> u64 {
        self.store.file.current.read().unwrap().generation
    }
}

#[tokio::test]
async fn a_full_disk_with_space_again_is_a_store_again() {
    let bench = bench();
    let kept = bench.create("before").await.unwrap();
    bench.disk.full.store(true, Ordering::SeqCst);
    let refused = bench.create("while full").await;
    assert!(matches!(refused, Err(TargetError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    bench.opened().await;
    bench.disk.full.store(false, Ordering::SeqCst);
    bench.clock.advance(PAUSE);
    let _starts_the_opening = Targets::get(&bench.store, &kept.id).await;
    bench.opened().await;
    assert_eq!(Targets::get(&bench.store, &kept.id).await.unwrap(), Some(kept.clone()));
    let later = bench.create("after").await.unwrap();
    assert_eq!(Targets::list(&bench.store, &"jeff".into()).await.unwrap().len(), 2, "what was refused is not there");
    assert_eq!(Targets::get(&bench.store, &later.id).await.unwrap(), Some(later));
    assert_eq!(bench.generation(), 1, "opened once");
}

#[tokio::test]
async fn a_file_that_stays_shut_is_unavailable_and_tried_at_intervals() {
    let bench = bench();
    bench.create("before").await.unwrap();
    let switches = [&bench.disk.full, &bench.disk.gone];
    switches.iter().for_each(|switch| switch.store(true, Ordering::SeqCst));
    assert!(bench.create("lost").await.is_err());
    bench.opened().await;
    assert!(matches!(Targets::owners(&bench.store).await, Err(StoreError::Unavailable(_))));
    let added = bench.store.add_all(vec![credential("jeff", "FFFF#0001", 1)], None).await;
    assert!(matches!(added, Err(CredentialError::Store(StoreError::Unavailable(_)))), "{added:?}");
    switches.iter().for_each(|switch| switch.store(false, Ordering::SeqCst));
    assert!(Targets::owners(&bench.store).await.is_err());
    assert!(!bench.store.file.reopening.load(Ordering::SeqCst), "not before the pause is over");
    bench.clock.advance(PAUSE);
    assert!(Targets::owners(&bench.store).await.is_err(), "this question starts it");
    bench.opened().await;
    assert_eq!(Targets::owners(&bench.store).await.unwrap(), ["jeff".into()].into());
}

#[tokio::test]
async fn many_faults_at_once_open_it_once() {
    let bench = bench();
    bench.disk.full.store(true, Ordering::SeqCst);
    assert!(bench.create("lost").await.is_err());
    bench.opened().await;
    bench.disk.full.store(false, Ordering::SeqCst);
    bench.clock.advance(PAUSE);
    for _ in 0..50 {
        let _unavailable_or_not = Targets::owners(&bench.store).await;
    }
    bench.opened().await;
    assert!(Targets::owners(&bench.store).await.unwrap().is_empty());
    let generation = bench.generation();
    bench.store.file.reopen(generation.wrapping_sub(1));
    assert_eq!((bench.generation(), generation), (1, 1), "a late fault of the old handle opens nothing");
}

#[test]
fn a_lost_file_is_not_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = Embedded::open(&path, Arc::new(ManualClock::new(START))).unwrap();
    std::fs::remove_file(&path).unwrap();
    store.file.reopen(0);
    assert!(matches!(store.file.ask(|_| Ok(())), Err(Fault::Closed)) && !path.exists());
}

#[tokio::test]
async fn a_file_that_lost_its_name_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("store.redb"), folder.path().join("aside"));
    let store = Embedded::open(&path, Arc::new(ManualClock::new(START))).unwrap();
    let lost = |done: Result<(), TargetError>| matches!(done, Err(TargetError::Store(StoreError::Unavailable(_))));
    for other in [None, Some("another file")] {
        std::fs::rename(&path, &aside).unwrap();
        other.into_iter().for_each(|text| std::fs::write(&path, text).unwrap());
        assert!(lost(store.create(target("jeff", "phone")).await) && Targets::owners(&store).await.is_err());
        std::fs::rename(&aside, &path).unwrap();
        assert!(Targets::owners(&store).await.unwrap().is_empty(), "what was refused is not there");
    }
    store.create(target("jeff", "phone")).await.unwrap();
}
