//! Trying Passmuster out on one machine.

pub mod lms;
