//! The suite: through the doors of the service, on both databases.

#![expect(unreachable_pub, reason = "a test binary exports nothing")]
#![expect(
    clippy::too_many_lines,
    reason = "a journey is one story, told from beginning to end"
)]

mod api;
mod architecture;
mod browser;
mod cli;
mod common;
mod content;
mod journey;
mod launch;
mod peers;
mod quiz;
