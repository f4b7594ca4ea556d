//! Passmuster: an LTI 1.3 tool for security training whose product is evidence.
//!
//! The rooms, and who may look into whom (an arrow points to what a room may import):
//!
//! ```text
//! cli -> demo, web, jobs -> training -> app -> storage -> lti, course, quiz, evidence -> the ground
//! the ground: keys, net, ids, time, entropy, crypto, config
//! ```

pub mod config;
pub mod crypto;
pub mod entropy;
pub mod ids;
pub mod keys;
pub mod net;
pub mod time;

pub mod course;
pub mod evidence;
pub mod lti;
pub mod quiz;

pub mod storage;

pub mod app;
pub mod keyring;
pub mod training;

pub mod jobs;
pub mod web;

pub mod demo;

pub mod cli;
