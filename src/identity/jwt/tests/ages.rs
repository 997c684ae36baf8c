//! How old a key set may be for a token to pass by it.

use super::*;

impl Bench {
    /// Shows these tokens all at once: how many pass.
    async fn passing(self: &Arc<Self>, tokens: &[String]) -> usize {
        let asked = tokens.iter().cloned().map(|token| {
            let bench = self.clone();
            tokio::spawn(async move { bench.passes(&token).await })
        });
        let passed = futures::future::join_all(asked).await;
        passed.into_iter().filter(|passed| *passed.as_ref().unwrap()).count()
    }

    /// The same issuer with its keys in a file, looked at every second.
    fn with_file(mut self, path: &std::path::Path) -> Self {
        let pace = Pace { refresh: seconds(1), keep: seconds(3600), retry: seconds(1) };
        let keys = IssuerKeys::new(ISSUER.into(), Source::File(path.to_owned()), pace, self.clock.clone());
        Arc::get_mut(&mut self.realm).unwrap().verifier.issuers[0].keys = keys;
        self
    }
}

fn many(key: &SigningKey) -> Vec<String> {
    (0..40).map(|number| token(key, &json!({"n": number}))).collect()
}

#[tokio::test]
async fn a_key_that_left_a_set_lets_nobody_in_once_that_is_old() {
    let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let bench = Arc::new(Bench::new(&[&old]).await);
    let seen = many(&old);
    assert_eq!(bench.passing(&seen).await, 40);
    bench.server.say(&jwks([&new]).to_string());
    bench.clock.advance(seconds(60));
    // Those that come while the set is being read wait for it as well, and so does a token that was never seen.
    bench.server.hold();
    let (asking, first) = (bench.clone(), seen[0].clone());
    let all = [seen, vec![token(&old, &json!({}))]].concat();
    let passed = tokio::spawn(async move { asking.passing(&all).await });
    bench.server.comes(2).await;
    let late = tokio::spawn({
        let bench = bench.clone();
        async move { bench.passes(&first).await }
    });
    bench.server.let_go();
    assert_eq!((passed.await.unwrap(), late.await.unwrap()), (0, false));
    assert_eq!(bench.server.asked(), 2, "by one for all");
    assert!(bench.passes(&token(&new, &json!({}))).await);
}

#[tokio::test]
async fn a_key_that_left_a_file_lets_nobody_in_once_that_is_old() {
    let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, jwks([&old]).to_string()).unwrap();
    let bench = Arc::new(Bench::new(&[]).await.with_file(&path));
    let seen = many(&old);
    assert_eq!(bench.passing(&seen).await, 40);
    std::fs::write(&path, jwks([&new]).to_string()).unwrap();
    bench.clock.advance(seconds(1));
    assert_eq!(bench.passing(&seen).await, 0);
}

#[tokio::test]
async fn a_server_that_hangs_holds_up_nobody_twice() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(&[&key]).await;
    let seen = token(&key, &json!({}));
    assert!(bench.passes(&seen).await);
    bench.server.fail();
    bench.clock.advance(seconds(60));
    assert!(bench.passes(&seen).await, "it was asked, and could not say");
    assert_eq!(bench.server.asked(), 2);
    bench.server.hold();
    bench.clock.advance(seconds(10));
    assert!(bench.passes(&seen).await, "while it is asked again");
    bench.server.comes(3).await;
    assert!(bench.passes(&seen).await && bench.passes(&token(&key, &json!({"n": 1}))).await);
}

#[tokio::test]
async fn a_server_that_is_back_is_waited_for_before_its_old_keys_are_believed() {
    let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let bench = Bench::new(&[&old]).await;
    let seen = token(&old, &json!({}));
    assert!(bench.passes(&seen).await);
    bench.server.fail();
    bench.clock.advance(seconds(7200));
    assert!(bench.passes(&seen).await, "until it ends by itself");
    bench.server.say(&jwks([&new]).to_string());
    bench.clock.advance(seconds(60));
    assert!(!bench.passes(&seen).await);
}

#[tokio::test]
async fn a_file_of_keys_is_read_again() {
    let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, jwks([&old]).to_string()).unwrap();
    assert!(try_file(&path).is_ok() && try_file(folder.path()).is_err());
    let bench = Bench::new(&[]).await.with_file(&path);
    let (first, second) = (token(&old, &json!({})), token(&new, &json!({})));
    assert!(bench.passes(&first).await);
    std::fs::write(&path, jwks([&new]).to_string()).unwrap();
    bench.clock.advance(seconds(1));
    assert!(bench.passes(&second).await);
    assert!(!bench.passes(&first).await);
    std::fs::write(&path, "{").unwrap();
    bench.clock.advance(seconds(1));
    assert!(bench.passes(&token(&new, &json!({"n": 1}))).await, "a broken file changes nothing");
}
