//! Proxies before the gateway that say in a header whom they speak for.

mod seats;

use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::upstream::Upstream;
use crate::support::wait;

const FILTERS: &str = "filters:
  office: {type: ip-list, allow: [203.0.113.0/24]}
  limited: {type: rate-limit, per: address, burst: 3, every: 1h}
";

/// A gateway whose public listeners believe this header of proxies at these addresses; its internal one believes none.
async fn behind(upstream: &Upstream, from: &str, header: &str) -> Gateway {
    let key = format!("    forwarded: {{from: [{from}], header: {header}}}\n");
    let row = |name: &str, filters: &str| {
        format!(
            "  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [{filters}], upstream: app, \
             on: [public, internal]}}\n"
        )
    };
    let rows: String = [("app", ""), ("office", "office"), ("limited", "limited")].map(|(a, b)| row(a, b)).concat();
    let setup = Setup::default()
        .tls()
        .user("jeff")
        .replace("    address: 127.0.0.1:8080\n", format!("    address: 127.0.0.1:8080\n{key}"))
        .replace("    address: 127.0.0.1:TLS_PORT\n", format!("    address: 127.0.0.1:TLS_PORT\n{key}"))
        .append(format!("upstreams:\n  app: {{url: 'http://{}'}}\n{FILTERS}routes:\n{rows}", upstream.address));
    setup.start().await
}

fn clients(gateway: &Gateway) -> [Client; 4] {
    [gateway.public(), gateway.public_http2(), gateway.public_tls(), gateway.public_tls_http2()]
}

/// Whom the server behind was told, request by request.
fn told(upstream: &Upstream) -> Vec<String> {
    let received = upstream.received();
    upstream.forget();
    let told = |name: &str| received.iter().map(|request| request.values(name).join("|")).collect::<Vec<_>>();
    let elements: Vec<_> =
        told("forwarded").iter().map(|element| element.split(';').next().unwrap().to_owned()).collect();
    let addresses = told("x-forwarded-for");
    for (element, address) in elements.iter().zip(&addresses) {
        let v6 = format!("for=\"[{address}]\"");
        assert_eq!(*element, if address.contains(':') { v6 } else { format!("for={address}") });
    }
    addresses
}

#[tokio::test]
async fn a_client_behind_a_proxy_is_known_by_its_own_address() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "127.0.0.1/32, 10.0.0.0/8", "x-forwarded-for").await;
    for client in clients(&gateway) {
        for (said, other) in [
            (&["203.0.113.9"][..], "for=198.51.100.1"),
            (&["198.51.100.1, 203.0.113.9, 10.0.0.1"], "for=198.51.100.1"),
            (&["203.0.113.200", "2001:db8::9"], "unknown"),
            (&["[2001:db8::9]:443"], ""),
            (&[], "for=198.51.100.1"),
        ] {
            let request = client.get("/app/a").header("forwarded", other).header("x-real-ip", "198.51.100.1");
            let request = said.iter().fold(request, |request, said| request.header("x-forwarded-for", said));
            request.header("x-forwarded-host", "evil.example").send().await.expect(200);
        }
        let known = ["203.0.113.9", "203.0.113.9", "2001:db8::9", "2001:db8::9", "127.0.0.1"];
        assert_eq!(told(&upstream), known);
    }
    let lines = || gateway.log().matches("\"client\":\"203.0.113.9\"").count();
    wait::until("the lines of its requests", wait::BOUND, async || (lines() == 8).then_some(())).await;
    gateway.internal().get("/app/a").header("x-forwarded-for", "203.0.113.9").send().await.expect(200);
    assert_eq!(told(&upstream), ["127.0.0.1"], "a listener without the key believes nobody");
}

#[tokio::test]
async fn elements_of_forwarded_are_read_where_that_is_the_header() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "127.0.0.1/32, 10.0.0.0/8", "forwarded").await;
    for client in clients(&gateway) {
        for said in
            ["for=203.0.113.9", "for=198.51.100.1, For=\"203.0.113.9:80\";proto=http;host=\"a,b\", for=10.0.0.1"]
        {
            let request = client.get("/app/a").header("forwarded", said).header("x-forwarded-for", "198.51.100.1");
            request.send().await.expect(200);
        }
        assert_eq!(told(&upstream), ["203.0.113.9", "203.0.113.9"]);
    }
}

/// What the server behind was told of the scheme by the last request.
fn scheme(upstream: &Upstream) -> String {
    let received = upstream.received().pop().unwrap();
    let [element] = received.values("forwarded")[..] else { panic!("one element: {received:?}") };
    let [scheme] = received.values("x-forwarded-proto")[..] else { panic!("one scheme: {received:?}") };
    assert!(element.ends_with(&format!(";proto={scheme}")), "{element}");
    scheme.to_owned()
}

#[tokio::test]
async fn a_proxy_says_by_which_scheme_its_client_came_and_a_stranger_does_not() {
    let upstream = Upstream::start().await;
    for (from, believed) in [("127.0.0.1/32", true), ("192.0.2.0/24", false)] {
        let gateway = behind(&upstream, from, "x-forwarded-for").await;
        for client in clients(&gateway) {
            let own = client.base().split_once("://").unwrap().0.to_owned();
            let heard = |said: &str| if believed { said.to_owned() } else { own.clone() };
            for (said, expected) in [
                (&["https"][..], heard("https")),
                (&["http"], heard("http")),
                (&["https, http"], own.clone()),
                (&["https", "https"], own.clone()),
                (&["gopher"], own.clone()),
                (&[], own.clone()),
            ] {
                let request = client.get("/app/a").header("x-forwarded-for", "203.0.113.9").header("x-scheme", "https");
                let request = said.iter().fold(request, |request, said| request.header("x-forwarded-proto", said));
                let answer = request.header("forwarded", "for=203.0.113.9;proto=https").send().await.expect(200);
                assert_eq!(scheme(&upstream), expected, "{said:?}");
                let secure = own == "https" || expected == "https";
                assert_eq!(answer.header("strict-transport-security").is_some(), secure, "{said:?}");
            }
        }
    }
    let gateway = behind(&upstream, "127.0.0.1/32", "forwarded").await;
    for client in clients(&gateway) {
        let said = "for=203.0.113.8;proto=http, for=203.0.113.9;proto=https";
        client.get("/app/a").header("forwarded", said).header("x-forwarded-proto", "http").send().await.expect(200);
        assert_eq!(scheme(&upstream), "https");
    }
}

#[tokio::test]
async fn behind_a_proxy_that_ends_tls_a_login_is_one_over_https() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "127.0.0.1/32", "x-forwarded-for").await;
    let login = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    let own = gateway.public().base().replacen("http://", "https://", 1);
    for client in [gateway.public(), gateway.public_http2()] {
        for (said, origin, status) in [
            ("https", own.as_str(), 200),
            ("https", client.base(), 403),
            ("http", client.base(), 200),
            ("http", &own, 403),
        ] {
            let request = client.post("/auth/pwd").form(&login).header("x-forwarded-proto", said);
            let answer = request.header("origin", origin).send().await;
            if status == 403 {
                answer.problem(403);
                continue;
            }
            let cookie = answer.expect(200).header("set-cookie").unwrap().to_owned();
            assert_eq!(cookie.starts_with("__Host-sidegate-main="), said == "https", "the cookie for {said}");
            assert_eq!(cookie.contains("; Secure"), said == "https", "the cookie for {said}");
        }
    }
    let answer = gateway.public_tls().post("/auth/pwd").form(&login).header("x-forwarded-proto", "http").send().await;
    let cookie = answer.expect(200).header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-sidegate-main=") && cookie.contains("; Secure"), "no proxy makes it less");
}

#[tokio::test]
async fn a_list_that_does_not_tell_who_asks_is_refused() {
    let upstream = Upstream::start().await;
    let long = format!("{}, 203.0.113.9", "198.51.100.1, ".repeat(400));
    let lists = ["unknown", "203.0.113.9, _secret", "203.0.113.9,", "203.0.113.9 203.0.113.8", "fe80::1%1", &long];
    let gateway = behind(&upstream, "127.0.0.1/32", "x-forwarded-for").await;
    for client in clients(&gateway) {
        for said in lists {
            let told = client.get("/office/a").header("x-forwarded-for", said).send().await.problem(400);
            assert!(told.contains("the proxy before this gateway does not tell who asks"), "{told}");
        }
    }
    // Nobody takes the proxy's word out.
    let nominated = gateway.public().get("/app/a").header("x-forwarded-for", "203.0.113.9");
    nominated.header("connection", "x-forwarded-for").send().await.problem(400);
    assert_eq!(told(&upstream), Vec::<String>::new());
}

#[tokio::test]
async fn a_stranger_is_where_its_socket_is_whatever_it_says() {
    let upstream = Upstream::start().await;
    // Nobody in this test connects from there.
    let gateway = behind(&upstream, "192.0.2.0/24", "x-forwarded-for").await;
    for client in clients(&gateway) {
        for said in ["203.0.113.9", "192.0.2.1", "203.0.113.9, 192.0.2.1", "unknown", ""] {
            let said = |path: &str| client.get(path).header("x-forwarded-for", said).header("forwarded", said);
            said("/app/a").send().await.expect(200);
            assert_eq!(told(&upstream), ["127.0.0.1"]);
            said("/office/a").send().await.problem(403);
        }
    }
    for n in 0..5 {
        let said = format!("203.0.113.{n}");
        let answer = gateway.public().get("/limited/a").header("x-forwarded-for", &said).send().await;
        assert_eq!(answer.status, if n < 3 { 200 } else { 429 });
    }
    assert!(!gateway.log().contains("203.0.113."));
}

#[tokio::test]
async fn a_neighbour_of_the_proxy_is_a_stranger_beside_it() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "127.0.0.1/32", "x-forwarded-for").await;
    let (proxy, neighbour) = (gateway.public(), gateway.public().elsewhere());
    for (client, status) in [(&proxy, 200), (&neighbour, 403)] {
        let answer = client.get("/office/a").header("x-forwarded-for", "203.0.113.9").send().await;
        assert_eq!(answer.status, status);
    }
    // What it says is kept from the server behind, too.
    neighbour.get("/app/a").header("x-forwarded-for", "203.0.113.9").send().await.expect(200);
    assert_eq!(told(&upstream), ["203.0.113.9", "127.0.0.2"]);
}

#[tokio::test]
async fn limits_and_delays_are_those_of_the_client() {
    let upstream = Upstream::start().await;
    let gateway = behind(&upstream, "127.0.0.1/32", "x-forwarded-for").await;
    let from = |client: &Client, path: &str, address: &str| client.get(path).header("x-forwarded-for", address);
    for client in clients(&gateway).iter().take(3) {
        from(client, "/limited/a", "203.0.113.9").send().await.expect(200);
    }
    // What a client adds itself changes nothing.
    for address in ["203.0.113.9", "198.51.100.7, 203.0.113.9"] {
        from(&gateway.public(), "/limited/a", address).send().await.problem(429);
    }
    from(&gateway.public(), "/limited/a", "203.0.113.10").send().await.expect(200);

    let login = |password: String, address: &'static str| {
        let fields = [("isiwebuserid", "jeff"), ("isiwebpasswd", &*password)];
        gateway.public().post("/auth/pwd").header("x-forwarded-for", address).form(&fields).send()
    };
    let guess = || login("wrong".to_owned(), "203.0.113.9");
    let mut statuses = Vec::new();
    while statuses.len() < 40 && statuses.last() != Some(&429) {
        statuses.push(guess().await.status);
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    login(gateway.password("jeff").to_owned(), "198.51.100.7").await.expect(200).session();
    let failed = || {
        let log = gateway.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let failed = lines.filter(|line| line["event"] == "login-failed");
        failed.map(|line| line["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    wait::until("the audit lines", wait::BOUND, async || (failed().len() >= statuses.len()).then_some(())).await;
    assert!(failed().iter().all(|address| address == "203.0.113.9"), "{:?}", failed());
}
