use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};

use futures::FutureExt as _;
use pingora::connectors::http::v1::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::http::HttpTask;
use pingora::protocols::http::v1::client::HttpSession;
use pingora::tls::pkey::PKey;
use pingora::tls::ssl::{SslAcceptor, SslMethod};
use pingora::tls::x509::X509;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use super::{Arc, ErrorType, Hold, L4Connect as _};
use crate::gateway::forward::peer;
use crate::jose::UpstreamTls;
use crate::jose::sample::{Host, self_signed};
use crate::routes::{Server, Upstream};

const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/// A server that answers the head of a request at once, and says when it has.
fn server(acceptor: Option<SslAcceptor>) -> (SocketAddr, oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (answered, answer)) = (listener.local_addr().unwrap(), oneshot::channel());
    std::thread::spawn(move || {
        let tcp = listener.accept().unwrap().0;
        match acceptor {
            None => serve(tcp, answered),
            Some(acceptor) => serve(acceptor.accept(tcp).unwrap(), answered),
        }
    });
    (address, answer)
}

fn serve(stream: impl Read + Write, answered: oneshot::Sender<()>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0);
    }
    stream.get_mut().write_all(ANSWER).unwrap();
    answered.send(()).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

fn acceptor() -> SslAcceptor {
    let pair = self_signed(&Host::local()).unwrap().server;
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_certificate(&X509::from_pem(&pair.certificate).unwrap()).unwrap();
    acceptor.set_private_key(&PKey::private_key_from_pem(&pair.key).unwrap()).unwrap();
    acceptor.build()
}

/// A session of Pingora's with the server there, by a connection of this kind.
async fn session(address: SocketAddr, tls: bool, hold: &Hold) -> HttpSession {
    let mut upstream = Upstream::new("app", vec![Server::plain(address.to_string())]);
    upstream.tls = tls.then(|| UpstreamTls { authorities: None, verify: false, client: None });
    let mut peer = peer::of(&upstream, upstream.servers.all().next().unwrap(), address);
    peer.options.custom_l4 = Some(Arc::new(hold.clone()));
    Connector::new(None).get_http_session(&peer).await.unwrap().0
}

fn handshake() -> Box<RequestHeader> {
    let mut head = RequestHeader::build("GET", b"/feed", None).unwrap();
    for (name, value) in [("Host", "app"), ("Upgrade", "websocket"), ("Connection", "Upgrade")] {
        head.insert_header(name, value).unwrap();
    }
    Box::new(head)
}

#[rstest]
#[case(false)]
#[case(true)]
#[tokio::test]
async fn an_answer_is_read_after_the_end_of_the_request_alone(#[case] tls: bool) {
    let (address, answer) = server(tls.then(acceptor));
    let hold = Hold::default();
    let mut session = session(address, tls, &hold).await;
    hold.set();
    session.write_request_header(handshake()).await.unwrap();
    answer.await.unwrap();
    // Only the runtime can notice that there is something to read; it has, for it told of the answer, or does at its next turn.
    for _ in 0..1000 {
        assert!(session.read_response_task().now_or_never().is_none(), "the end of the request was not sent yet");
        tokio::task::yield_now().await;
    }
    session.finish_body().await.unwrap();
    let HttpTask::Header(head, _) = session.read_response_task().await.unwrap() else { panic!("no head") };
    assert!(head.status == http::StatusCode::SWITCHING_PROTOCOLS && session.was_upgraded());
}

#[rstest]
#[case(false)]
#[case(true)]
#[tokio::test]
async fn who_waits_for_an_answer_is_woken_by_the_end_of_the_request(#[case] answered_before: bool) {
    let (address, answer) = server(None);
    let hold = Hold::default();
    let connection = hold.connect(&pingora::protocols::l4::socket::SocketAddr::Inet(address)).await.unwrap();
    hold.set();
    let (mut reader, mut writer) = tokio::io::split(connection);
    writer.write_all(b"GET /feed HTTP/1.1\r\n\r\n").await.unwrap();
    writer.flush().await.unwrap();
    if answered_before {
        answer.await.unwrap();
    }
    let mut got = vec![0; ANSWER.len()];
    let (read, flushed) = tokio::join!(reader.read_exact(&mut got), writer.flush());
    assert!(read.is_ok() && flushed.is_ok());
    assert_eq!(got, ANSWER);
}

#[tokio::test]
async fn where_nobody_listens_the_error_is_pingoras_own() {
    // Bound, so that nobody else listens there meanwhile.
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let free = bound.local_addr().unwrap();
    let refused = Hold::default().connect(&pingora::protocols::l4::socket::SocketAddr::Inet(free)).await.unwrap_err();
    assert_eq!(*refused.etype(), ErrorType::ConnectRefused);
}
