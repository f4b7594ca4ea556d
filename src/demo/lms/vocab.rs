//! The words of LTI 1.3 that this platform speaks. Written out here once more, apart from the tool's own
//! list: a misspelt word in one of them shows at the first launch.

/// Prefix of the core claims (LTI 1.3 Core §5.3).
pub(super) const LTI: &str = "https://purl.imsglobal.org/spec/lti/claim/";
/// Prefix of the deep linking claims (LTI DL 2.0 §4.4, §4.5).
pub(super) const DL: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/";
/// The line item service's claim (AGS 2.0 §3.1).
pub(super) const AGS_ENDPOINT: &str = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint";
/// The roster's claim (NRPS 2.0 §3.6.1.1).
pub(super) const NRPS_CLAIM: &str =
    "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice";

/// Manage line items.
pub(super) const SCOPE_LINEITEM: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem";
/// Read line items.
pub(super) const SCOPE_LINEITEM_READONLY: &str =
    "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly";
/// Read results.
pub(super) const SCOPE_RESULT: &str =
    "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly";
/// Send scores.
pub(super) const SCOPE_SCORE: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/score";
/// Read the roster.
pub(super) const SCOPE_NRPS: &str =
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly";
/// Every scope a token may carry here.
pub(super) const SCOPES: [&str; 5] = [
    SCOPE_LINEITEM,
    SCOPE_LINEITEM_READONLY,
    SCOPE_RESULT,
    SCOPE_SCORE,
    SCOPE_NRPS,
];

/// A list of line items.
pub(super) const TYPE_LINEITEMS: &str = "application/vnd.ims.lis.v2.lineitemcontainer+json";
/// One line item.
pub(super) const TYPE_LINEITEM: &str = "application/vnd.ims.lis.v2.lineitem+json";
/// A score.
pub(super) const TYPE_SCORE: &str = "application/vnd.ims.lis.v1.score+json";
/// A list of results.
pub(super) const TYPE_RESULTS: &str = "application/vnd.ims.lis.v2.resultcontainer+json";
/// A page of the roster.
pub(super) const TYPE_MEMBERS: &str = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json";
