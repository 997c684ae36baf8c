use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode};
use sidegate_filters::clock::ManualClock;
use sidegate_filters::jws::{JwkDocument, VerificationKey};

use super::*;

struct House {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    keys: KeyFolder,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Millis(1_000_000)));
        let keys = KeyFolder::new(folder.path().to_owned(), clock.clone());
        Self { folder, clock, keys }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether nothing can be told of the target once the folder is looked at again.
    async fn is_unavailable(&self, target_id: &str) -> bool {
        self.clock.advance(AGE);
        matches!(self.keys.key(target_id).await, Err(FilterError::Unavailable(_)))
    }

    /// What is known once the folder is looked at again.
    async fn now(&self, target_id: &str) -> Option<RegisteredKey> {
        self.clock.advance(AGE);
        self.keys.key(target_id).await.unwrap()
    }
}

/// Public keys of RFC 8032 7.1.
const FIRST: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const SECOND: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}"#;

fn thumbprint(jwk: &str) -> Thumbprint {
    let jwk = JwkDocument::parse(&serde_json::Value::String(jwk.to_owned())).unwrap();
    *VerificationKey::try_from(jwk).unwrap().thumbprint()
}

#[tokio::test]
async fn files_come_change_and_go() {
    let house = House::new();
    assert!(house.now("a").await.is_none());
    house.write("a.json", FIRST);
    assert_eq!(house.now("a").await.unwrap().key.thumbprint(), &thumbprint(FIRST));
    house.write("a.json", &format!("{SECOND}\n"));
    assert_eq!(house.now("a").await.unwrap().key.thumbprint(), &thumbprint(SECOND));
    fs::remove_file(house.folder.path().join("a.json")).unwrap();
    assert!(house.now("a").await.is_none());
}

#[tokio::test]
async fn what_is_known_is_a_second_old_at_most() {
    let house = House::new();
    house.write("a.json", FIRST);
    assert!(house.now("a").await.is_some());
    fs::remove_file(house.folder.path().join("a.json")).unwrap();
    house.clock.advance(AGE - Duration::from_millis(1));
    assert!(house.keys.key("a").await.unwrap().is_some());
    house.clock.advance(Duration::from_millis(1));
    assert!(house.keys.key("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_key_in_two_files_serves_several_targets() {
    let house = House::new();
    house.write("a.json", FIRST);
    house.write("b.json", FIRST);
    house.write("c.json", SECOND);
    assert!(house.now("a").await.unwrap().serves_several);
    assert!(!house.now("c").await.unwrap().serves_several);
    fs::remove_file(house.folder.path().join("b.json")).unwrap();
    assert!(!house.now("a").await.unwrap().serves_several);
}

#[tokio::test]
async fn a_file_without_a_good_key_is_no_target_and_spoils_no_other() {
    let house = House::new();
    let private = FIRST.replace("kty", "d\":\"AAAA\",\"kty");
    let long = format!("{FIRST}{}", " ".repeat(20_000));
    for (name, text) in [("private", private.as_str()), ("empty", ""), ("long", &long)] {
        house.write(&format!("{name}.json"), text);
    }
    fs::write(house.folder.path().join("binary.json"), [0xff, 0xfe]).unwrap();
    fs::create_dir(house.path("folder.json")).unwrap();
    rustix::fs::mknodat(CWD, house.path("pipe.json"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    house.write("good.json", FIRST);
    house.write("no-suffix", FIRST);
    for name in ["private", "empty", "long", "binary", "folder", "pipe", "no-suffix", "", "../good", "good.json"] {
        assert!(house.now(name).await.is_none(), "{name}");
    }
    assert!(house.now("good").await.is_some());
}

/// Reads of it fail with EIO, although it looks like an empty file.
const FAULTY: &str = "/proc/self/mem";

#[tokio::test]
async fn what_cannot_be_read_is_not_taken_for_no_target_and_is_tried_again() {
    let house = House::new();
    house.write("good.json", SECOND);
    for fault in [FAULTY, "a.json"] {
        // A link to itself can't even be looked at.
        symlink(fault, house.path("a.json")).unwrap();
        assert!(house.is_unavailable("a").await, "{fault}");
        assert!(house.now("good").await.is_some());
        fs::remove_file(house.path("a.json")).unwrap();
        house.write("a.json", FIRST);
        assert_eq!(house.now("a").await.unwrap().key.thumbprint(), &thumbprint(FIRST));
        fs::remove_file(house.path("a.json")).unwrap();
        assert!(house.now("a").await.is_none());
    }
}

#[tokio::test]
async fn a_key_serves_several_targets_also_while_a_file_cannot_be_read() {
    let house = House::new();
    house.write("a.json", FIRST);
    house.write("b.json", FIRST);
    assert!(house.now("a").await.unwrap().serves_several);
    fs::remove_file(house.path("b.json")).unwrap();
    symlink(FAULTY, house.path("b.json")).unwrap();
    assert!(house.now("a").await.unwrap().serves_several);
}

#[tokio::test]
async fn a_folder_that_is_back_is_looked_at_at_once() {
    let house = House::new();
    fs::remove_dir_all(house.folder.path()).unwrap();
    assert!(house.is_unavailable("a").await);
    fs::create_dir(house.folder.path()).unwrap();
    house.write("a.json", FIRST);
    assert!(house.keys.key("a").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_askers_all_learn_the_same() {
    let house = Arc::new(House::new());
    house.write("a.json", FIRST);
    let askers: Vec<_> = (0..50)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { house.keys.key("a").await.unwrap().is_some() })
        })
        .collect();
    for asker in askers {
        assert!(asker.await.unwrap());
    }
}

#[tokio::test]
async fn without_the_folder_nothing_can_be_told() {
    let house = House::new();
    fs::remove_dir_all(house.folder.path()).unwrap();
    assert!(matches!(house.keys.key("a").await, Err(FilterError::Unavailable(_))));
}
