//! Bodies, read for filters that turn out to want them.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use crate::exchange::Exchange;
use crate::reply::Problem;

/// The longest body that is read for a filter, in bytes: what a proxy can hold back.
pub const LONGEST_BODY: usize = 64 * 1024;

/// Where filters get the body from. A body that is at hand is one.
#[async_trait]
pub trait BodySource: Send {
    /// Reads the whole body, at most `limit` bytes.
    ///
    /// # Errors
    /// The answer to give instead: 413 when it is longer, 408 when it came too slowly, 400 when it was broken.
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem>;
}

/// A body as it comes, piece by piece: what a proxy has to show that reads it from a connection. It is a [`BodySource`].
///
/// ```
/// # futures::executor::block_on(async {
/// use bytes::Bytes;
/// use sidegate_filters::body::{BodySource as _, Pieces};
/// use sidegate_filters::Problem;
///
/// struct Words(std::vec::IntoIter<&'static str>);
///
/// impl Pieces for Words {
///     async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
///         Ok(self.0.next().map(Bytes::from))
///     }
/// }
///
/// let words = || Words(vec!["a ", "body"].into_iter());
/// assert_eq!(words().read(6).await.unwrap(), "a body");
/// assert_eq!(words().read(5).await.unwrap_err().status, 413);
/// # });
/// ```
pub trait Pieces: Send {
    /// The next piece, or nothing at the end.
    ///
    /// # Errors
    /// The answer to give instead.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Problem>> + Send;

    /// All of them together, at most `limit` bytes.
    ///
    /// # Errors
    /// As of [`BodySource::read`].
    fn gather(&mut self, limit: usize) -> impl Future<Output = Result<Bytes, Problem>> + Send {
        async move {
            let mut body = BytesMut::new();
            while let Some(piece) = self.next().await? {
                if body.len() + piece.len() > limit {
                    return Err(Problem::too_long(limit));
                }
                body.extend_from_slice(&piece);
            }
            Ok(body.freeze())
        }
    }
}

#[async_trait]
impl<P: Pieces> BodySource for P {
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem> {
        self.gather(limit).await
    }
}

#[async_trait]
impl BodySource for Bytes {
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem> {
        if self.len() > limit { Err(Problem::too_long(limit)) } else { Ok(self.clone()) }
    }
}

impl Exchange {
    /// The body, at most `limit` bytes and never more than [`LONGEST_BODY`]: read now, unless an earlier filter had it read,
    /// who may have taken more than this one wants.
    ///
    /// # Errors
    /// The answer to give instead, as of [`BodySource::read`].
    pub async fn read_body(&mut self, source: &mut dyn BodySource, limit: usize) -> Result<Bytes, Problem> {
        let limit = limit.min(LONGEST_BODY);
        let body = match &self.body {
            None => source.read(limit).await?,
            Some(read) if read.len() <= limit => read.clone(),
            Some(_) => return Err(Problem::too_long(limit)),
        };
        self.body = Some(body.clone());
        Ok(body)
    }
}
