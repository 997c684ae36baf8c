//! Another gateway behind: HTTP/2, certificates of clients, and paths that differ.

use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};
use crate::support::wait;

/// A row for the facets of the gateway behind, where it has another path.
fn row(name: &str) -> String {
    let there = "/nevisfido/uaf/1.1/*";
    format!(
        "  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [], upstream: {name}, upstream-path: {there}}}\n"
    )
}

/// A gateway before these upstreams, each with a row of its name.
async fn before(upstreams: &[(&str, String)]) -> Gateway {
    let sections: String = upstreams.iter().map(|(name, settings)| format!("  {name}: {{{settings}}}\n")).collect();
    let rows: String = upstreams.iter().map(|(name, _)| row(name)).collect();
    Setup::default().append(format!("upstreams:\n{sections}routes:\n{rows}")).start().await
}

/// The protocols of all requests for the facets that it logged.
async fn protocols(behind: &Gateway, number: usize) -> Vec<String> {
    let line = |line: &str| serde_json::from_str::<Value>(line).ok();
    wait::until("its access lines", wait::BOUND, async || {
        let log = behind.log();
        let lines = log.lines().filter_map(line).filter(|line| line["route"] == "uaf-facets");
        let found: Vec<String> = lines.filter_map(|line| Some(line["protocol"].as_str()?.to_owned())).collect();
        (found.len() == number).then_some(found)
    })
    .await
}

#[tokio::test]
async fn a_server_is_spoken_to_as_the_configuration_says() {
    let behind = Setup::default().tls().start().await;
    let (plain, port) = (behind.address("public"), behind.tls_address().port());
    let tls = format!("tls: {{ca: {}}}", behind.certificates().join("ca.pem").display());
    let upstreams = [
        ("older", format!("url: 'https://localhost:{port}', {tls}")),
        ("newer", format!("url: 'https://localhost:{port}', protocol: h2, {tls}")),
        ("either", format!("url: 'https://localhost:{port}', protocol: auto, {tls}")),
        ("plain", format!("url: 'http://{plain}', protocol: h2")),
    ];
    let front = before(&upstreams).await;
    for (index, expected) in ["http/1.1", "http/2", "http/2", "http/2"].iter().enumerate() {
        for client in [front.public(), front.public_http2()] {
            let answer = client.get(&format!("/{}/facets", upstreams[index].0)).send().await.expect(200);
            assert!(answer.text().contains("trustedFacets"), "{}", answer.text());
        }
        assert_eq!(protocols(&behind, 2 * (index + 1)).await[2 * index..], [*expected; 2]);
    }
}

#[tokio::test]
async fn a_certificate_is_shown_where_one_is_configured() {
    let key = "key: CERTS/server.key";
    let behind = Setup::default().tls().replace(key, format!("{key}, client-ca: CERTS/ca.pem")).start().await;
    let file = |name: &str| behind.certificates().join(name).display().to_string();
    let shown = format!("client-certificate: {}, client-key: {}", file("client.pem"), file("client.key"));
    let url = format!("url: 'https://localhost:{}'", behind.tls_address().port());
    let upstream =
        |protocol: &str, more: &str| format!("{url}, protocol: {protocol}, tls: {{ca: {}{more}}}", file("ca.pem"));
    let upstreams = [
        ("older", upstream("h1", &format!(", {shown}"))),
        ("newer", upstream("h2", &format!(", {shown}"))),
        ("nobody", upstream("h1", "")),
        ("none", upstream("h2", "")),
    ];
    let front = before(&upstreams).await;
    for (path, status) in
        [("/older/facets", 200), ("/newer/facets", 200), ("/nobody/facets", 502), ("/none/facets", 502)]
    {
        let answer = front.public().get(path).send().await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    assert_eq!(protocols(&behind, 2).await, ["http/1.1", "http/2"]);
}
