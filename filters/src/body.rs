//! Bodies, read for filters that turn out to want them.

use async_trait::async_trait;
use bytes::Bytes;

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
