use std::path::Path;

use super::*;
use crate::config::{Environment, Overrides, Source, load};
use crate::store::users::UsersFile;

fn try_out(data: &Path, port: u16) -> Config {
    let listen = Some(format!("127.0.0.1:{port}").parse().unwrap());
    let overrides = Overrides { data: Some(data.to_path_buf()), listen, ..Overrides::default() };
    load(&Source::BuiltIn, &overrides, &Environment::new(|_| None)).unwrap()
}

/// Standalone with an app-id of its own, and perhaps not for trying out.
fn written(folder: &Path, app_id: &str, try_out: bool) -> Config {
    let text = crate::config::STANDALONE
        .replace("  # app-id: ${public-url}/nevisfido/uaf/1.1/facets", &format!("  app-id: {app_id}\n"))
        .replace("try-out: true", &format!("try-out: {try_out}"))
        .replace("# public-url: https", "public-url: https");
    let path = folder.join("gate.yml");
    std::fs::write(&path, text).unwrap();
    let overrides = Overrides { data: Some(folder.join("var")), ..Overrides::default() };
    load(&Source::File(path), &overrides, &Environment::new(|_| None)).unwrap_or_else(|faults| panic!("{faults}"))
}

#[tokio::test]
async fn the_demo_user_is_made_once() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("var");
    let folder = DataFolder::open(&data).unwrap();
    let users = UsersFile::open(folder.file(data::USERS)).unwrap();
    let config = try_out(&data, 8080);
    let made = demo_user(&config, &folder, &users).await.unwrap().unwrap();
    let kept = std::fs::read_to_string(data.join("demo.password")).unwrap();
    assert_eq!(kept.trim(), made.0.as_str());
    assert!(users.by_name("demo").await.unwrap().unwrap().password.verify(kept.trim().as_bytes()));
    assert!(demo_user(&config, &folder, &users).await.unwrap().is_none());
    users.remove("demo").await.unwrap();
    assert!(demo_user(&config, &folder, &users).await.unwrap().is_none(), "whoever was removed stays away");
    let notes = notes(&Source::BuiltIn, &config, false, Vec::new());
    let block = block(&notes, Some(&made)).unwrap();
    assert_eq!(block.matches(kept.trim()).count(), 1);
    assert!(block.contains("anonymous-content") && block.contains("unknown-models"), "{}", block.as_str());
    for text in notes.iter().map(Note::text) {
        assert!(!text.contains(kept.trim()) && !text.contains('\n'), "{text}");
    }
}

#[test]
fn only_what_stands_below_a_heading_is_indented() {
    let notes = |first: &str| vec![Note::Warning(first.to_owned()), Note::Hint("second".to_owned())];
    let demo = DemoPassword(Zeroizing::new("secret".to_owned()));
    let told = |first: &str| block(&notes(first), Some(&demo)).unwrap().to_string();
    assert_eq!(told(TRY_OUT), format!("{TRY_OUT}\n  second\n  password of demo: secret"));
    assert_eq!(told("first"), "first\nsecond\npassword of demo: secret");
}

#[test]
fn a_bearer_is_said_to_be_made_once_and_is_no_warning() {
    let root = tempfile::tempdir().unwrap();
    let config = try_out(&root.path().join("var"), 8080);
    let folder = DataFolder::open(&config.data).unwrap();
    let told = || match &bearers(&config, &folder)[..] {
        [Note::Hint(text)] => text.clone(),
        _ => panic!("one hint"),
    };
    assert!(told().ends_with("internal.token, made just now"), "{}", told());
    folder.write("internal.token", b"x").unwrap();
    assert!(told().ends_with("internal.token"), "{}", told());
}

#[tokio::test]
async fn that_nobody_can_log_in_is_told_with_what_mends_it() {
    let root = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(root.path().join("var")).unwrap();
    let users = UsersFile::open(folder.file(data::USERS)).unwrap();
    let mut config = written(root.path(), "https://a.example/facets", false);
    assert!(nobody_can_log_in(&config, &users).await.unwrap());
    let told = |nobody| {
        notes(&Source::BuiltIn, &config, nobody, Vec::new())
            .iter()
            .any(|note| note.text().starts_with("there are no users"))
    };
    assert!(told(true) && !told(false));
    config.internal_callers[0].roles.push(Role::Provision);
    assert!(!nobody_can_log_in(&config, &users).await.unwrap(), "whom it names is made");
    config.internal_callers.clear();
    users.add("jeff", PasswordHash::of(b"his own").unwrap()).await.unwrap();
    assert!(!nobody_can_log_in(&config, &users).await.unwrap());
    let none = Config { realms: Vec::new(), fido_uaf: None, ..config };
    users.remove("jeff").await.unwrap();
    assert!(!nobody_can_log_in(&none, &users).await.unwrap(), "where nobody logs in, nobody is missed");
}

#[tokio::test]
async fn a_start_that_was_cut_short_is_gone_on_with() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("var");
    let folder = DataFolder::open(&data).unwrap();
    let users = UsersFile::open(folder.file(data::USERS)).unwrap();
    let config = try_out(&data, 8080);
    let lock = data.join("users.lock");
    std::fs::create_dir(&lock).unwrap();
    assert!(demo_user(&config, &folder, &users).await.is_err(), "the user can't be added");
    std::fs::remove_dir(&lock).unwrap();
    users.add("jeff", PasswordHash::of(b"another user").unwrap()).await.unwrap();
    let made = demo_user(&config, &folder, &users).await.unwrap().unwrap();
    let verifies = async || users.by_name("demo").await.unwrap().unwrap().password.verify(made.0.as_bytes());
    assert!(verifies().await);
    // As it was before the file got its name.
    folder.rename(data::DEMO_PASSWORD, data::DEMO_BEGUN).unwrap();
    assert!(demo_user(&config, &folder, &users).await.unwrap().is_some());
    assert_eq!(std::fs::read_to_string(data.join("demo.password")).unwrap().trim(), made.0.as_str());
    assert!(verifies().await && !data.join(data::DEMO_BEGUN).exists());
}

#[tokio::test]
async fn there_is_no_demo_user_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(root.path().join("var")).unwrap();
    let users = UsersFile::open(folder.file(data::USERS)).unwrap();
    let config = written(root.path(), "https://a.example/facets", false);
    assert!(demo_user(&config, &folder, &users).await.unwrap().is_none());
    users.add("demo", PasswordHash::of(b"their own").unwrap()).await.unwrap();
    let config = written(root.path(), "https://a.example/facets", true);
    assert!(demo_user(&config, &folder, &users).await.unwrap().is_none(), "a demo user who is there is left alone");
    assert!(!root.path().join("var/demo.password").exists());
}
