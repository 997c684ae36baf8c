//! Where a request would have been served that is refused on the listeners that were asked about.

use std::fmt;

use http::Method;
use sidegate_filters::CanonicalPath;

use super::ALL;
use crate::config::Config;
use crate::routes::{ListenerClass, Router};

/// The row that serves it, and for whom listeners are there that serve the row; often there is none.
#[derive(Debug)]
pub struct Elsewhere(Option<(String, ListenerClass)>);

impl Elsewhere {
    pub(super) fn of(config: &Config, router: &Router, method: &Method, path: &CanonicalPath) -> Self {
        let served = |class| Some((router.find(class, method, path).ok()?.route.name.clone(), class));
        Self(config.listening(&ALL).into_iter().find_map(served))
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((row, class)) = &self.0 else { return Ok(()) };
        let class = class.name();
        write!(out, "; the row {row} has it on {class} listeners: ask with --on {class}")
    }
}
