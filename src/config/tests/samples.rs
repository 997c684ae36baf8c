//! The samples in `conf/`, with every key that they have in comments.

use std::path::Path;

use sidegate_uaf::wire::Versions;

use super::*;
use crate::dispatchers::BaseUrl;
use crate::routes::Protocol;

#[test]
fn the_built_in_configuration_is_the_sample() {
    let built_in = load(&Source::BuiltIn, &Overrides::default(), &environment()).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/standalone.yml");
    let file = load(&Source::File(path), &Overrides::default(), &environment()).unwrap();
    assert_eq!(format!("{built_in:?}"), format!("{file:?}"));
    assert_eq!(built_in.public_url.text(), "http://127.0.0.1:8080");
    assert_eq!(built_in.data, PathBuf::from("./var"));
    let fido_uaf = built_in.fido_uaf.unwrap();
    assert_eq!(fido_uaf.app_id, None);
    assert!(fido_uaf.hide_users && fido_uaf.decoy_models.is_empty());
    assert_eq!(texts(&fido_uaf.facets), ["http://127.0.0.1:8080", sidegate_uaf::facets::SOFTWARE_FACET]);
    // Nothing but the rows of the realm that stands in comments, and of apps, is left out.
    assert_eq!(built_in.routes.len(), crate::routes::rows::ROWS.len() - 5);
    let noticed: Vec<_> = built_in.notices.iter().map(|notice| notice.key.as_str()).collect();
    assert_eq!(noticed, ["public-url", "fido-uaf.metadata.unknown-models", "fido-uaf.anonymous-content"]);
}

/// A sample with every key that it has in comments.
pub(super) fn uncommented(sample: &str) -> Config {
    let (_folder, path) = whole(sample);
    load(&Source::File(path), &Overrides::default(), &environment()).unwrap_or_else(|f| panic!("{f}"))
}

/// The same as a file, in a folder with those that it names.
pub(super) fn whole(sample: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for file in [
        "certs/server.pem",
        "certs/server.key",
        "certs/ca.pem",
        "certs/client.pem",
        "certs/client.key",
        "front.pem",
        "users",
        "policies/default.json",
        "metadata/model.json",
    ] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    // Comments of keys begin with `# ` right before a key or a dash; prose does not.
    let text: Vec<String> = sample
        .lines()
        .map(|line| match line.split_once("# ") {
            Some((indent, key)) if indent.trim().is_empty() && is_key(key.trim_start()) => format!("{indent}{key}"),
            _ => line.to_owned(),
        })
        .collect();
    let path = folder.path().join("all.yml");
    std::fs::create_dir_all(folder.path().join("target-keys")).unwrap();
    std::fs::write(&path, text.join("\n")).unwrap();
    (folder, path)
}

#[test]
fn every_commented_key_of_the_sample_is_right() {
    let config = uncommented(STANDALONE);
    assert_eq!((config.limits.operations, config.limits.sessions), (256 << 20, 64 << 20));
    assert!(config.listeners[0].tls.is_some());
    assert_eq!(config.fido_uaf.unwrap().tls_certificates.len(), 1);
    let by_phone = config.realms.last().unwrap();
    assert_eq!((by_phone.kind.word(), by_phone.level, by_phone.renew), ("oob", 2, true));
    assert!(config.routes.iter().any(|row| row.name == "login-oob"));
    assert_eq!(config.routes.last().map(|row| row.name.as_str()), Some("shop"));
}

#[test]
fn every_commented_key_of_the_sample_with_tokens_is_right() {
    let config = uncommented(include_str!("../../../conf/api.yml"));
    let kinds: Vec<_> = config.realms.iter().map(|realm| &realm.kind).collect();
    let [RealmKind::Password, RealmKind::Jwt(jwt), RealmKind::Mtls(users), RealmKind::Forward(service)] = &kinds[..]
    else {
        panic!("{kinds:?}")
    };
    assert_eq!((users.len(), users[1].name.as_str()), (2, "e-2"));
    assert_eq!((service.path.as_str(), service.terms.body), ("/verify", Some(16 * 1024)));
    let [issuer] = &jwt.issuers[..] else { panic!("one issuer") };
    assert!(matches!(&issuer.tokens.jwks, JwkSet::Url(url, Some(_)) if url.is_https()));
    assert_eq!(issuer.levels, [("urn:example:2fa".to_owned(), 2)]);
    let [caller] = &config.internal_callers[..] else { panic!("one caller") };
    let token = caller.token().unwrap();
    assert_eq!((token.subject.as_str(), &token.claim), ("shop", &Some(("azp".to_owned(), "shop".to_owned()))));
    let devices = config.routes.iter().find(|row| row.name == "devices").unwrap();
    assert!(matches!(&devices.leads_to, LeadsTo::Upstream { filters, .. } if *filters == ["devices"]));
    assert_eq!((issuer.tokens.typ.as_deref(), issuer.roles.as_str()), (Some("at+jwt"), "/realm_access/roles"));
}

#[test]
fn every_commented_key_of_the_sample_with_two_domains_is_right() {
    let config = uncommented(include_str!("../../../conf/domains.yml"));
    let paths: Vec<_> = config.domains.iter().map(|domain| domain.path.as_deref()).collect();
    assert_eq!((config.own_domain(), &paths[..]), (Some("main"), &[Some("/auth"), Some("/auth/partners")][..]));
    let row = config.routes.iter().find(|row| row.name == "partners-login-password").unwrap();
    assert!(row.on.is_empty() && row.domain.as_deref() == Some("partners"));
}

fn is_key(text: &str) -> bool {
    let word = text.strip_prefix("- ").unwrap_or(text);
    let key = word.split(':').next().unwrap_or(word);
    text.starts_with("- ") || (word.contains(':') && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

#[test]
fn the_original_dispatcher_blocks_load() {
    for base_url in [
        "nevisaccessapp://x-callback-url/authenticate?x-success=https://success.siven.ch&x-error=https://error.siven.ch&x-cancel=https://cancel.siven.ch",
        "https://siven.ch",
    ] {
        let config = loaded(&format!(
            "{BASE}  dispatchers:
    - type: link
      registration-redeem-url: https://siven.ch/nevisfido/token/redeem/registration
      authentication-redeem-url: https://siven.ch/nevisfido/token/redeem/authentication
      deregistration-redeem-url: https://siven.ch/nevisfido/token/redeem/deregistration
      base-url: {base_url}
"
        ));
        let [Dispatcher::Link(link)] = &config.fido_uaf.unwrap().dispatchers[..] else { panic!("one dispatcher") };
        assert_eq!(link.base_url, BaseUrl::parse(base_url).unwrap());
        assert_eq!(link.redeem.registration, "https://siven.ch/nevisfido/token/redeem/registration");
    }
}

/// Whoever tries a sample out in a checkout leaves no keys and users to be committed.
#[test]
fn data_folders_of_the_samples_are_ignored() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = std::fs::read_to_string(root.join(".gitignore")).unwrap();
    let samples = std::fs::read_dir(root.join("conf")).unwrap().map(|entry| entry.unwrap().path());
    let samples: Vec<_> = samples.filter(|path| path.extension().is_some_and(|ending| ending == "yml")).collect();
    assert!(samples.len() > 4);
    for path in samples {
        let text = std::fs::read_to_string(&path).unwrap();
        let data = text.lines().find_map(|line| line.strip_prefix("data: ../")).unwrap_or("var");
        assert!(ignored.lines().any(|line| line == format!("/{data}")), "{}: {data}", path.display());
    }
}

#[test]
fn the_rows_that_the_sample_shows_are_good() {
    let (written, shown) = STANDALONE.split_once("# upstreams:\n").unwrap();
    // Only the certificates are not there.
    let shown =
        shown.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).filter(|line| !line.contains(" certs/"));
    let config = loaded(&format!("{written}upstreams:\n{}\n", shown.collect::<Vec<_>>().join("\n")));
    assert!(!config.notices.iter().any(|notice| notice.key.starts_with("routes")), "{:?}", config.notices);
    let own: Vec<_> = config.routes.iter().filter(|row| matches!(row.leads_to, LeadsTo::Upstream { .. })).collect();
    let [payments, shop] = own[..] else { panic!("{own:?}") };
    let upstream = &config.upstreams[0];
    assert!(upstream.servers.len() == 2 && upstream.protocol == Protocol::Http1 && shop.upstream_path.is_some());
    assert!(upstream.health_check.is_some() && shop.websocket.is_some() && payments.websocket.is_none());
    let level = |name: &str| {
        let filter = config.filters.iter().find(|filter| filter.name == name).unwrap();
        if let FilterKind::IdentityCreation(demand) = &filter.kind { demand.level } else { panic!("{name}") }
    };
    // Without the realm oob nothing in a browser raises a session above what a password gives.
    assert!(shop.interception && level("customers") == 1);
    assert!(!payments.interception && level("payments") == 2);
}

#[rstest::rstest]
#[case("false", Versions::Only1_1, false)]
#[case("true", Versions::From1_0, false)]
#[case("incomplete", Versions::From1_0Incomplete, true)]
fn old_clients_are_served_as_it_is_said(#[case] word: &str, #[case] versions: Versions, #[case] noted: bool) {
    let config = loaded(&format!("{BASE}  old-clients: {word}\n"));
    assert_eq!(config.fido_uaf.unwrap().versions, versions);
    assert_eq!(config.notices.iter().any(|notice| notice.key == "fido-uaf.old-clients"), noted);
}

/// What is not known of a model can't be made up: in a trial it is the software phone's.
#[rstest::rstest]
#[case("unknown-models: surrogate", "", true)]
#[case("unknown-models: surrogate", "  decoy-models: [D0D0#0001]\n", false)]
#[case("unknown-models: surrogate", "  decoy-models: []\n", true)]
#[case("unknown-models: surrogate, revoked: [D0D0#0001]", "  decoy-models: [D0D0#0001, D0D0#0002]\n", true)]
#[case("unknown-models: surrogate", "  hide-users: false\n", false)]
#[case("unknown-models: refuse", "", false)]
fn decoys_of_no_known_model_are_noted(#[case] metadata: &str, #[case] more: &str, #[case] noted: bool) {
    let config = loaded(&format!("{BASE}  metadata: {{ {metadata} }}\n{more}"));
    assert_eq!(config.notices.iter().any(|notice| notice.key == "fido-uaf.decoy-models"), noted);
}
