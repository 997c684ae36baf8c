//! The realm `mtls` (`gateway.md` 3.1): users by the certificate of their connection.

use http::header::AUTHORIZATION;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, HTML};
use crate::support::logs::{access_line, audited, lines};
use crate::support::upstream::Upstream;
use crate::support::wait;

/// What signs the certificates of clients.
struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

type Names<'a> = &'a [(Nid, &'a str)];

fn key() -> PKey<Private> {
    PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap()).unwrap()
}

fn subject(names: Names<'_>) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    names.iter().for_each(|(nid, value)| name.append_entry_by_nid(*nid, value).unwrap());
    name.build()
}

fn draft(names: Names<'_>, key: &PKey<Private>, issuer: &X509Name) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(std::process::id()).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
    builder.set_subject_name(&subject(names)).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}

impl Authority {
    fn new() -> Self {
        let (key, name) = (key(), [(Nid::COMMONNAME, "clients")]);
        let mut builder = draft(&name, &key, &subject(&name));
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }

    /// A client with a certificate of these names.
    fn client(&self, gateway: &Gateway, names: Names<'_>, others: impl Fn(&mut SubjectAlternativeName)) -> Client {
        let key = key();
        let mut builder = draft(names, &key, &self.certificate.subject_name().to_owned().unwrap());
        let mut alternative = SubjectAlternativeName::new();
        others(alternative.uri("urn:none"));
        let alternative = alternative.build(&builder.x509v3_context(Some(&self.certificate), None)).unwrap();
        builder.append_extension(alternative).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build().to_pem().unwrap();
        let identity = reqwest::Identity::from_pkcs8_pem(&certificate, &key.private_key_to_pem_pkcs8().unwrap());
        let http = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        let http = http.identity(identity.unwrap()).build().unwrap();
        Client::new(http, format!("https://{}", gateway.tls_address()), gateway.secrets())
    }
}

/// A bank whose staff have certificates.
struct Bank {
    gateway: Gateway,
    upstream: Upstream,
    authority: Authority,
    _folder: tempfile::TempDir,
}

impl Bank {
    async fn open() -> Self {
        let (upstream, authority, folder) = (Upstream::start().await, Authority::new(), tempfile::tempdir().unwrap());
        let ca = folder.path().join("clients.pem");
        std::fs::write(&ca, authority.certificate.to_pem().unwrap()).unwrap();
        let realm = "  staff:\n    type: mtls\n    domain: main\n    users:\n      \
                     - {subject: 'CN=jeff,O=Bank', user: e-jeff, name: jeff, roles: [teller, boss]}\n      \
                     - {email: eve@bank.example, user: e-eve}\n      - {uri: 'spiffe://bank/pay', user: e-pay}\n";
        let row = |name: &str| {
            format!(
                "  - {{name: {name}, path: /{name}/*, methods: [GET, POST], filters: [{name}, told], upstream: bank}}\n"
            )
        };
        let rows = format!(
            "upstreams:\n  bank: {{url: \"http://{}\"}}\nfilters:\n  any: {{type: identity-creation, domain: main}}\n  \
             boss: {{type: identity-creation, domain: main, realms: [staff], roles: [boss]}}\n  \
             fresh: {{type: identity-creation, domain: main, max-age: 5m}}\n  \
             told: {{type: delegation, rules: [\"AUTH:user.auth.UserId:X-User\", \"AUTH:user.auth.Roles:X-Roles\"]}}\n\
             routes:\n{}{}{}",
            upstream.address,
            row("any"),
            row("boss"),
            row("fresh")
        );
        let key = "key: CERTS/server.key";
        let asked = format!("{key}, client-ca: {}", ca.display());
        let setup = Setup::default().tls().replace(key, asked).under("realms", realm).append(rows).user("jeff");
        Self { gateway: setup.start().await, upstream, authority, _folder: folder }
    }

    fn client(&self, names: Names<'_>) -> Client {
        self.authority.client(&self.gateway, names, |_| {})
    }

    fn told(&self, name: &str) -> Vec<String> {
        self.upstream.received().last().unwrap().values(name).into_iter().map(str::to_owned).collect()
    }
}

const JEFF: Names<'static> = &[(Nid::ORGANIZATIONNAME, "Bank"), (Nid::COMMONNAME, "jeff")];
const OTHER: Names<'static> = &[(Nid::COMMONNAME, "other")];

async fn get(client: &Client, path: &str) -> Answer {
    client.get(path).header("x-user", "root").send().await
}

#[tokio::test]
async fn a_certificate_is_its_users_credential() {
    let bank = Bank::open().await;
    let jeff = bank.client(JEFF);
    for path in ["/any/a", "/boss/a"] {
        assert_eq!(get(&jeff, path).await.expect(200).set_cookie(), None);
        assert_eq!((bank.told("x-user"), bank.told("x-roles")), (vec!["e-jeff".into()], vec!["teller,boss".into()]));
    }
    for (mark, user) in [("eve@bank.example", "e-eve"), ("spiffe://bank/pay", "e-pay")] {
        let client = bank.authority.client(&bank.gateway, OTHER, |names| {
            if mark.contains("://") {
                names.uri(mark)
            } else {
                names.email(mark)
            };
        });
        get(&client, "/any/a").await.expect(200);
        assert_eq!(bank.told("x-user"), [user]);
        get(&client, "/boss/a").await.problem(403);
    }
    let told = get(&jeff, "/fresh/a").await.expect(401);
    assert_eq!(
        told.header("www-authenticate"),
        Some("Bearer realm=\"main\", error=\"insufficient_user_authentication\", acr_values=\"1\", max_age=\"300\""),
        "a certificate does not tell when its owner was there"
    );
}

#[tokio::test]
async fn a_name_that_only_looks_like_a_users_is_nobodys() {
    let bank = Bank::open().await;
    let likenesses: [Names<'_>; 6] = [
        &[(Nid::COMMONNAME, "jeff")],
        &[(Nid::COMMONNAME, "jeff"), (Nid::ORGANIZATIONNAME, "Bank")],
        &[(Nid::COMMONNAME, "jeff,O=Bank")],
        &[(Nid::ORGANIZATIONNAME, "Bank"), (Nid::COMMONNAME, "jeff ")],
        &[(Nid::COUNTRYNAME, "CH"), (Nid::ORGANIZATIONNAME, "Bank"), (Nid::COMMONNAME, "jeff")],
        &[(Nid::COMMONNAME, "eve@bank.example")],
    ];
    for names in likenesses {
        get(&bank.client(names), "/any/a").await.problem(401);
    }
    let mails = ["eve@bank.example.evil", "xeve@bank.example", "Eve@bank.example"];
    for mail in mails {
        let client = bank.authority.client(&bank.gateway, OTHER, |names| {
            names.email(mail);
        });
        get(&client, "/any/a").await.problem(401);
    }
    let both = bank.authority.client(&bank.gateway, JEFF, |names| {
        names.email("eve@bank.example");
    });
    get(&both, "/any/a").await.problem(401);
    assert!(bank.upstream.received().is_empty());
}

#[tokio::test]
async fn a_certificate_that_the_listener_does_not_verify_never_gets_so_far() {
    let bank = Bank::open().await;
    let strange = Authority::new().client(&bank.gateway, JEFF, |_| {});
    assert!(strange.get("/any/a").try_send().await.is_err());
    assert!(bank.gateway.public_tls().get("/any/a").try_send().await.is_err(), "one has to be shown");
    // On a listener that asks for none, there is none.
    get(&bank.gateway.public(), "/any/a").await.problem(401);
    let line = wait::until("the reason", wait::BOUND, async || {
        lines(&bank.gateway).into_iter().find(|line| line["message"] == "the certificate of a client is refused")
    });
    let line = line.await;
    assert_eq!(line["level"], "INFO", "{line}");
    assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("certificate")), "{line}");
    let counted = "sidegate_connections_refused_total{listener=\"public\",reason=\"client-certificate\"} ";
    wait::until(counted, wait::BOUND, async || {
        let metrics = bank.gateway.management().get("/metrics").send().await.expect(200).text();
        let count = metrics.lines().find_map(|line| line.strip_prefix(counted)?.parse::<u64>().ok());
        (count >= Some(2)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_row_for_certificates_alone_asks_for_one() {
    let bank = Bank::open().await;
    let nobody = get(&bank.client(OTHER), "/boss/a").await.expect(401);
    assert_eq!(nobody.header("www-authenticate"), Some("ClientCertificate realm=\"main\""));
    assert_eq!(nobody.problem(401), "the client certificate that was shown names nobody here");
    let none = get(&bank.gateway.public(), "/boss/a").await.expect(401);
    assert_eq!(none.header("www-authenticate"), Some("ClientCertificate realm=\"main\""));
    assert_eq!(none.problem(401), "nothing was shown that tells who is calling");
    let other_ways = get(&bank.client(OTHER), "/any/a").await.expect(401);
    assert_eq!(other_ways.header("www-authenticate"), Some("Bearer realm=\"main\""));
}

#[tokio::test]
async fn a_page_of_another_site_has_nothing_done_with_the_users_certificate() {
    let bank = Bank::open().await;
    let jeff = bank.client(JEFF);
    let send = async |method: http::Method, site: &str, mode: &str, dest: &str| {
        let request = jeff.call(method, "/any/a").header("sec-fetch-site", site).header("sec-fetch-mode", mode);
        request.header("sec-fetch-dest", dest).send().await.status
    };
    let (get, post) = (http::Method::GET, http::Method::POST);
    for (method, site, mode, dest, status) in [
        (&post, "same-origin", "cors", "empty", 200),
        (&post, "same-site", "navigate", "document", 200),
        (&get, "none", "navigate", "document", 200),
        (&get, "cross-site", "navigate", "document", 200),
        (&get, "cross-site", "navigate", "iframe", 401),
        (&get, "cross-site", "navigate", "object", 401),
        (&post, "cross-site", "navigate", "document", 401),
        (&post, "cross-site", "no-cors", "empty", 401),
        (&get, "cross-site", "no-cors", "empty", 401),
        (&get, "cross-site", "cors", "empty", 401),
    ] {
        assert_eq!(send(method.clone(), site, mode, dest).await, status, "{method} {site} {mode} {dest}");
    }
    // Older browsers tell by this alone.
    let own = jeff.base().to_owned();
    for (origin, status) in [(own.as_str(), 200), ("https://evil.example", 401), ("null", 401)] {
        let told = jeff.call(post.clone(), "/any/a").header("origin", origin).send().await.status;
        assert_eq!(told, status, "{origin}");
    }
}

#[tokio::test]
async fn whoever_has_no_certificate_of_a_user_logs_in() {
    let bank = Bank::open().await;
    let other = bank.client(OTHER);
    let page = other.get("/any/a").header(HTML.0, HTML.1).send().await.expect(401);
    assert!(page.text().contains("isiwebpasswd"));
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", bank.gateway.password("jeff"))];
    let cookie = other.post("/auth/pwd").form(&form).send().await.expect(200).session();
    get(&other.cookie(&cookie), "/any/a").await.expect(200);
    let by_password = bank.told("x-user");
    // A session goes before the certificate.
    get(&bank.client(JEFF).cookie(&cookie), "/any/a").await.expect(200);
    assert_eq!(bank.told("x-user"), by_password);
    let bearer = bank.client(JEFF).get("/any/a").header(AUTHORIZATION.as_str(), "Bearer upstreams");
    bearer.send().await.expect(200);
    assert_eq!(bank.told("authorization"), ["Bearer upstreams"], "where no tokens are taken it is not ours");
}

#[tokio::test]
async fn the_log_tells_whose_certificate_it_was_once_for_each_connection() {
    let bank = Bank::open().await;
    let jeff = bank.client(JEFF);
    for _ in 0..2 {
        let answer = get(&jeff, "/any/a").await.expect(200);
        assert_eq!(access_line(&bank.gateway, &answer).await["user"], "e-jeff");
    }
    let told: Vec<_> = audited(&bank.gateway, "login");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["realm"], &told[0]["user"]), (&"staff".into(), &"e-jeff".into()));
    let other = bank.client(OTHER);
    for _ in 0..2 {
        let refused = get(&other, "/boss/a").await.expect(401);
        let line = access_line(&bank.gateway, &refused).await;
        assert_eq!((&line["refused_by"], &line["reason"]), (&"boss".into(), &"certificate".into()));
    }
    let nobody: Vec<_> = lines(&bank.gateway).into_iter().filter(|line| line["subject"] == "CN=other").collect();
    assert_eq!(nobody.len(), 1, "{nobody:?}");
    assert_eq!((&nobody[0]["level"], &nobody[0]["realm"]), (&"INFO".into(), &"staff".into()));
}
