//! The services together: whole stories, over the stores and phones of [`super::testing`].

mod bypass;
mod dispatch;
mod hidden;
mod redeem;
mod story;
mod target;
