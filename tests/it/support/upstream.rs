//! A server behind the gateway that tells what it was asked.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it was on the wire.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// Request line and header fields.
    pub(crate) head: String,
    /// The body without its framing.
    pub(crate) body: Vec<u8>,
    /// The fields after the last chunk.
    pub(crate) trailers: String,
}

impl Received {
    /// The values of a header field, in their order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

/// Answers every request with an HTML page that shows its request line, unless it is told otherwise, and remembers it.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

/// Whichever port is free.
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What a server thinks of a request: the status of its answer.
type Judge = Box<dyn Fn(Received) -> BoxFuture<'static, u16> + Send + Sync>;

#[derive(Default)]
struct State {
    received: Mutex<Vec<Received>>,
    /// What is done with the next requests in place of an answer with 200.
    script: Mutex<VecDeque<Act>>,
    judge: Option<Judge>,
}

enum Act {
    Status(u16),
    /// No answer, as long as the other side waits.
    Hang,
    /// These bytes, then a reset.
    Raw(Box<dyn FnOnce(&Received) -> String + Send>),
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::with(ANY, State::default()).await
    }

    /// One that answers each request with the status that it is judged by, and remembers none.
    pub(crate) async fn judging(judge: impl Fn(Received) -> BoxFuture<'static, u16> + Send + Sync + 'static) -> Self {
        Self::judging_at(ANY, judge).await
    }

    /// The same at this address.
    pub(crate) async fn judging_at(
        address: SocketAddr,
        judge: impl Fn(Received) -> BoxFuture<'static, u16> + Send + Sync + 'static,
    ) -> Self {
        Self::with(address, State { judge: Some(Box::new(judge)), ..State::default() }).await
    }

    async fn with(address: SocketAddr, state: State) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(state));
        let served = state.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Self { address, state, listening }
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.state.received.lock().unwrap().clear();
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.received().into_iter().map(|received| received.head).collect()
    }

    /// Answers the next request that has no other answer yet with this status.
    pub(crate) fn answer_next(&self, status: u16) {
        self.then(Act::Status(status));
    }

    /// Does not answer the next request that has no other answer yet.
    pub(crate) fn hang_next(&self) {
        self.then(Act::Hang);
    }

    /// Answers the next request that has no other answer yet with what this makes of it, then resets the connection.
    pub(crate) fn say_next(&self, answer: impl FnOnce(&Received) -> String + Send + 'static) {
        self.then(Act::Raw(Box::new(answer)));
    }

    fn then(&self, act: Act) {
        self.state.script.lock().unwrap().push_back(act);
    }

    /// Listens no more.
    pub(crate) async fn close(&mut self) {
        self.listening.abort();
        let _ = (&mut self.listening).await;
    }
}

/// One request a connection.
async fn serve(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    let Ok(received) = receive(&mut stream).await else { return };
    let line = received.head.lines().next().unwrap_or_default().replace('&', "&amp;");
    let next = match &state.judge {
        Some(judge) => Some(Act::Status(judge(received.clone()).await)),
        None => {
            state.received.lock().unwrap().push(received.clone());
            state.script.lock().unwrap().pop_front()
        }
    };
    let status = match next {
        None => 200,
        Some(Act::Status(status)) => status,
        Some(Act::Hang) => {
            let _ = stream.read(&mut [0]).await;
            return;
        }
        Some(Act::Raw(answer)) => {
            let _ = stream.write_all(answer(&received).as_bytes()).await;
            return stream.get_ref().set_zero_linger().unwrap();
        }
    };
    let page = if status == 204 {
        String::new()
    } else {
        format!("<!doctype html><title>shop</title><p>protected: {line}</p>")
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: text/html\r\ncache-control: no-store\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn receive(stream: &mut BufReader<TcpStream>) -> std::io::Result<Received> {
    let mut received = Received { head: block(stream).await?, ..Received::default() };
    if received.values("transfer-encoding") == ["chunked"] {
        loop {
            let size = usize::from_str_radix(line(stream).await?.trim_end(), 16).unwrap();
            if size == 0 {
                received.trailers = block(stream).await?;
                return Ok(received);
            }
            let mut piece = vec![0; size + 2];
            stream.read_exact(&mut piece).await?;
            received.body.extend_from_slice(&piece[..size]);
        }
    }
    let length = received.values("content-length").first().map_or(0, |length| length.parse().unwrap());
    received.body.resize(length, 0);
    stream.read_exact(&mut received.body).await?;
    Ok(received)
}

/// Lines up to an empty one.
async fn block(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut block = String::new();
    loop {
        let line = line(stream).await?;
        if line == "\r\n" {
            return Ok(block);
        }
        block.push_str(&line);
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}
