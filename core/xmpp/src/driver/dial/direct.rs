//! Without anything in between.

use std::sync::Arc;

use super::super::resolver::Resolver;
use super::super::tcp;
use super::{BoxedStream, DialFuture, Dialer};

/// TCP from this device, to whichever address of the host answers first.
#[derive(Clone)]
pub struct DirectDialer(Arc<dyn Resolver>);

impl DirectDialer {
    /// Asks `resolver` for the addresses of hosts.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self(resolver)
    }
}

impl Dialer for DirectDialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a> {
        Box::pin(async move {
            let tcp = tcp::connect(&*self.0, host, port).await?;
            Ok(Box::new(tcp) as BoxedStream)
        })
    }
}
