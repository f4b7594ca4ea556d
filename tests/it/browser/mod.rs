//! Journeys in a real browser. They need what `make test` prepares; without it they say so and pass.

mod driver;
mod driver_test;

// What a journey needs: `let Some(browser) = Browser::start().await else { return };`
#[allow(
    unused_imports,
    reason = "the journeys of this folder use what they need of it"
)]
pub(crate) use driver::Browser;
