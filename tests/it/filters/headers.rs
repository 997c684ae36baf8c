//! `headers`: what an upstream and a client are told because the operator says so.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{shop, shop_at, told};
use crate::support::http::{Answer, HTML};
use crate::support::upstream::Upstream;

const FILTERS: &str = "  known: {type: identity-creation, domain: main}
  guests: {type: identity-creation, domain: main, open: true}
  house:
    type: headers
    request: {set: {X-Tenant: bank}, add: {X-Way: gate}, remove: [X-Debug]}
    response:
      set:
        Content-Security-Policy: \"default-src 'self'\"
        Strict-Transport-Security: max-age=1
        Cache-Control: max-age=9
      add: {X-Seen: gate}
      remove: [X-Powered-By]
";
const ROWS: [(&str, &str); 2] = [("shop", "guests, house"), ("mine", "house, known")];

/// What the application says of itself at each place where it can.
const ANSWER: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-Powered-By: php\r\nContent-Security-Policy: php\r\n\r\n\
                      HTTP/1.1 200 OK\r\nContent-Security-Policy: php\r\nContent-Security-Policy: php 2\r\nX-Powered-By: php\r\n\
                      X-Seen: app\r\nX-App: kept\r\nCache-Control: max-age=5\r\nTransfer-Encoding: chunked\r\n\r\n\
                      2\r\nok\r\n0\r\nX-Powered-By: php\r\nX-Checksum: 1\r\n\r\n";

/// An application that says so much, and what it was asked.
async fn application() -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<String>>::default());
    let all = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, all.clone()));
        }
    });
    (address, asked)
}

async fn serve(mut stream: TcpStream, asked: Arc<Mutex<String>>) {
    let (mut head, mut piece) = (String::new(), [0; 4096]);
    loop {
        let Ok(length @ 1..) = stream.read(&mut piece).await else { return };
        head.push_str(&String::from_utf8_lossy(&piece[..length]));
        if head.ends_with("\r\n\r\n") {
            asked.lock().unwrap().push_str(&std::mem::take(&mut head).to_ascii_lowercase());
            let _ = stream.write_all(ANSWER.as_bytes()).await;
        }
    }
}

fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn an_upstream_gets_what_is_set_and_added_and_not_what_is_removed() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, FILTERS, &ROWS).start().await;
    for client in [gateway.public(), gateway.public_http2()] {
        let request = client.get("/shop/a").header("x-tenant", "evil").header("x_tenant", "evil");
        let request = request.header("x-way", "client").header("x_debug", "evil").header("x-debug", "evil");
        request.header("x-other", "kept").send().await.expect(200);
        let received = upstream.received().pop().unwrap();
        assert!(!received.head.contains("evil"), "{}", received.head);
        assert_eq!(received.values("x-tenant"), ["bank"]);
        assert_eq!(received.values("x-way"), ["client", "gate"]);
        assert_eq!(received.values("x-other"), ["kept"]);
    }
}

#[tokio::test]
async fn a_client_gets_what_is_set_and_added_and_nowhere_what_is_removed() {
    let (application, asked) = application().await;
    let gateway = shop_at(application, FILTERS, &ROWS).tls().start().await;
    for client in [gateway.public_tls(), gateway.public_tls_http2(), gateway.public(), gateway.public_http2()] {
        let answer = client.get("/shop/a").send().await.expect(200);
        assert_eq!(values(&answer, "content-security-policy"), ["default-src 'self'"]);
        assert_eq!(values(&answer, "x-seen"), ["app", "gate"]);
        assert_eq!((values(&answer, "x-powered-by"), values(&answer, "x-app")), (vec![], vec!["kept"]));
        let secure = client.base().starts_with("https");
        let expected = if secure { vec!["max-age=1"] } else { vec![] };
        assert_eq!(values(&answer, "strict-transport-security"), expected, "RFC 6797 7.2");
        assert_eq!(values(&answer, "cache-control"), ["max-age=9"]);
    }
    let told = told(&gateway, "/shop/a", "").await;
    assert!(told.contains("103") && told.contains("</a.css>") && !told.contains("php"), "{told}");
    assert!(asked.lock().unwrap().contains("x-tenant: bank"));
}

#[tokio::test]
async fn what_is_personal_only_the_callers_cache_keeps_and_our_own_answers_keep_what_they_say() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, FILTERS, &ROWS).user("jeff").start().await;
    let login = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    let cookie = gateway.public().post("/auth/pwd").form(&login).send().await.expect(200).session();
    for path in ["/shop/a", "/mine/a"] {
        let answer = gateway.public().cookie(&cookie).get(path).send().await.expect(200);
        assert_eq!(values(&answer, "cache-control"), ["private, max-age=9"]);
        assert_eq!(values(&answer, "content-security-policy"), ["default-src 'self'"]);
    }
    let page = gateway.public().get("/mine/a").header(HTML.0, HTML.1).send().await.expect(401);
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'; style-src"));
    assert_eq!((values(&page, "cache-control"), values(&page, "x-seen")), (vec!["no-store"], vec![]));
    let refused = gateway.public().get("/mine/a").send().await;
    assert_eq!(values(&refused, "content-security-policy"), ["default-src 'self'"]);
    assert_eq!(values(&refused, "cache-control"), ["no-store"]);
    assert!(refused.header("www-authenticate").is_some());
    refused.problem(401);
}
