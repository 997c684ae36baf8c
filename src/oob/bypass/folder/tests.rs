use sidegate_filters::clock::ManualClock;

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
    fs::create_dir(house.folder.path().join("folder.json")).unwrap();
    house.write("good.json", FIRST);
    house.write("no-suffix", FIRST);
    for name in ["private", "empty", "long", "binary", "folder", "no-suffix", "", "../good", "good.json"] {
        assert!(house.now(name).await.is_none(), "{name}");
    }
    assert!(house.now("good").await.is_some());
}

#[tokio::test]
async fn without_the_folder_nothing_can_be_told() {
    let house = House::new();
    fs::remove_dir_all(house.folder.path()).unwrap();
    assert!(matches!(house.keys.key("a").await, Err(FilterError::Unavailable(_))));
}
