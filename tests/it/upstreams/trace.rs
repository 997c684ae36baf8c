//! Traces (W3C Trace Context, `gateway.md` 6.4): a client's goes on, and what is none begins anew. The server behind and the
//! log are told the same one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use http::Method;
use rstest::rstest;

use super::scripted::{Script, Scripted};
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Answer;
use crate::support::logs::{access_line, lines};

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What is no `traceparent` of version 00.
const BAD: [&str; 18] = [
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e47360-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01,00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "",
];

async fn before(server: &Scripted) -> Gateway {
    let row = "  - {name: app, path: /app/*, methods: [GET, POST], filters: [], upstream: app}\n";
    let upstream = format!("upstreams:\n  app: {{url: 'http://{}'}}\n", server.address);
    Setup::default().append(format!("{upstream}routes:\n{row}")).start().await
}

/// The values of a field, or a trailer, in what the server got last.
fn told(server: &Scripted, name: &str) -> Vec<String> {
    let got = server.got();
    let fields = got.last().unwrap().lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
}

/// The one trace, span and flags that the server was told.
fn trace(server: &Scripted) -> [String; 3] {
    let parents = told(server, "traceparent");
    let [parent] = &parents[..] else { panic!("one traceparent: {parents:?}") };
    let ["00", parts @ ..] = &parent.split('-').collect::<Vec<_>>()[..] else { panic!("{parent}") };
    let [id, span, flags] = parts else { panic!("{parent}") };
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    assert!(
        [*id, span, flags].into_iter().all(is_hex) && (id.len(), span.len(), flags.len()) == (32, 16, 2),
        "{parent}"
    );
    assert!(id.contains(|digit| digit != '0') && span.contains(|digit| digit != '0'), "{parent}");
    [*id, span, flags].map(str::to_owned)
}

/// The trace that all lines of an answer name.
async fn logged(gateway: &Gateway, answer: &Answer) -> String {
    let id = access_line(gateway, answer).await["trace_id"].as_str().unwrap().to_owned();
    let of_request =
        lines(gateway).into_iter().filter(|line| line["request_id"] == *answer.header("x-request-id").unwrap());
    of_request.for_each(|line| assert_eq!(line["trace_id"], id, "{line}"));
    id
}

#[tokio::test]
async fn a_trace_goes_on_with_a_span_of_the_gateways_own() {
    let server = Scripted::start(Script::Answer);
    let gateway = before(&server).await;
    let mut spans = vec![SPAN.to_owned()];
    for client in [gateway.public(), gateway.public_http2()] {
        for flags in ["00", "01"] {
            let request = client.get("/app/a").header("traceparent", &format!("00-{ID}-{SPAN}-{flags}"));
            let answer =
                request.header("tracestate", "a=1, b@c=2").header("tracestate", "d=3").send().await.expect(200);
            let [id, span, passed] = trace(&server);
            assert_eq!([&id, &passed, &logged(&gateway, &answer).await], [ID, flags, ID]);
            assert!(!spans.contains(&span), "{span}");
            assert_eq!(told(&server, "tracestate"), ["a=1,b@c=2,d=3"]);
            spans.push(span);
        }
    }
}

#[tokio::test]
async fn without_a_trace_each_request_begins_one() {
    let server = Scripted::start(Script::Answer);
    let gateway = before(&server).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = gateway.public().get("/app/a").header("tracestate", "a=1").send().await.expect(200);
        let [id, span, flags] = trace(&server);
        assert_eq!((&logged(&gateway, &answer).await, &*flags), (&id, "00"));
        assert!(told(&server, "tracestate").is_empty());
        assert!(![&id, &span].into_iter().any(|new| seen.contains(new)));
        seen.extend([id, span]);
    }
    // So does what goes to nobody, and what is refused.
    for (path, status) in [("/.well-known/jwks.json", 200), ("/nowhere", 404)] {
        let request = gateway.public().get(path).header("traceparent", GOOD);
        assert_eq!(logged(&gateway, &request.send().await.expect(status)).await, ID);
        let answer = gateway.public().get(path).send().await.expect(status);
        assert_eq!(logged(&gateway, &answer).await.len(), 32);
    }
}

#[tokio::test]
async fn what_is_no_trace_is_none() {
    let server = Scripted::start(Script::Answer);
    let gateway = before(&server).await;
    let doubled = [[GOOD, GOOD], [GOOD, BAD[0]], [BAD[0], GOOD], ["", GOOD]];
    let sent = BAD.iter().map(|bad| vec![*bad]).chain(doubled.map(Vec::from));
    for parents in sent {
        for client in [gateway.public(), gateway.public_http2()] {
            let request = client.get("/app/a").header("tracestate", "a=1");
            let request = parents.iter().fold(request, |request, parent| request.header("traceparent", parent));
            let answer = request.send().await.expect(200);
            let [id, span, flags] = trace(&server);
            assert!(id != ID && span != SPAN && flags == "00", "{parents:?}");
            assert_eq!(logged(&gateway, &answer).await, id, "{parents:?}");
            assert!(told(&server, "tracestate").is_empty(), "{parents:?}");
        }
    }
}

#[rstest]
#[case::too_many((0..33).map(|index| format!("k{index}=1")).collect::<Vec<_>>().join(","))]
#[case::too_long(format!("a={},b={},c=1", "x".repeat(250), "x".repeat(256)))]
#[case::no_list("a=1,b".to_owned())]
#[case::twice("a=1,a=2".to_owned())]
#[tokio::test]
async fn a_state_that_is_none_stays_here_and_its_trace_goes_on(#[case] state: String) {
    let server = Scripted::start(Script::Answer);
    let gateway = before(&server).await;
    let request = gateway.public().get("/app/a").header("traceparent", GOOD).header("tracestate", &state);
    request.send().await.expect(200);
    assert_eq!((trace(&server)[0].as_str(), told(&server, "tracestate").len()), (ID, 0));
}

#[tokio::test]
async fn no_trace_comes_in_trailers_or_is_named_by_connection() {
    let server = Scripted::start(Script::Answer);
    let gateway = before(&server).await;
    let ask = |rest: &str| {
        let mut stream = TcpStream::connect(gateway.address("public")).unwrap();
        let head = "POST /app/a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n";
        let body = format!("2\r\nab\r\n0\r\nTraceparent: {GOOD}\r\nTracestate: a=1\r\n\r\n");
        stream.write_all(format!("{head}{rest}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("Connection: close, TE\r\nTE: trailers\r\nTrailer: traceparent\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_ne!(trace(&server)[0], ID);
    assert!(told(&server, "tracestate").is_empty());
    for named in ["traceparent", "tracestate"] {
        let answer = ask(&format!("Traceparent: {GOOD}\r\nConnection: close, {named}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{named}: {answer}");
    }
    assert_eq!(server.got().len(), 1);
    let asked = gateway.public().call(Method::POST, "/app/a").header("trace-parent", GOOD);
    asked.send().await.expect(200);
    assert_ne!(trace(&server)[0], ID, "another name is another header");
}
