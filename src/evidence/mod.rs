//! What can be handed to an auditor: the ledger, attestations, reports, and the check of all of them.

pub mod attestation;
pub mod csv;
pub mod jws;
pub mod ledger;
pub mod report;
pub mod statement;
pub mod verify;
