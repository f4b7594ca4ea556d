//! LTI 1.3 and LTI Advantage, the tool side.

pub mod platform;
