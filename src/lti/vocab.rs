//! The fixed words of the standards: claims, scopes, message types, media types, role vocabularies.
//!
//! Claim addresses are `https`, vocabulary addresses `http`; neither is ever fetched.

/// The only version of the launch that we speak (LTI 1.3 Core §5.3.2).
pub const VERSION: &str = "1.3.0";

/// Claims of an id_token.
pub mod claim {
    /// Kind of message (LTI 1.3 Core §5.3.1).
    pub const MESSAGE_TYPE: &str = "https://purl.imsglobal.org/spec/lti/claim/message_type";
    /// `1.3.0` (LTI 1.3 Core §5.3.2).
    pub const VERSION: &str = "https://purl.imsglobal.org/spec/lti/claim/version";
    /// Which install of the tool (LTI 1.3 Core §5.3.3).
    pub const DEPLOYMENT_ID: &str = "https://purl.imsglobal.org/spec/lti/claim/deployment_id";
    /// Where the launch wants to end (LTI 1.3 Core §5.3.4).
    pub const TARGET_LINK_URI: &str = "https://purl.imsglobal.org/spec/lti/claim/target_link_uri";
    /// The placement (LTI 1.3 Core §5.3.5).
    pub const RESOURCE_LINK: &str = "https://purl.imsglobal.org/spec/lti/claim/resource_link";
    /// Role addresses (LTI 1.3 Core §5.3.7).
    pub const ROLES: &str = "https://purl.imsglobal.org/spec/lti/claim/roles";
    /// The course or group (LTI 1.3 Core §5.4.1).
    pub const CONTEXT: &str = "https://purl.imsglobal.org/spec/lti/claim/context";
    /// The LMS itself (LTI 1.3 Core §5.4.2).
    pub const TOOL_PLATFORM: &str = "https://purl.imsglobal.org/spec/lti/claim/tool_platform";
    /// Whom a mentor watches (LTI 1.3 Core §5.4.3).
    pub const ROLE_SCOPE_MENTOR: &str =
        "https://purl.imsglobal.org/spec/lti/claim/role_scope_mentor";
    /// Frame, language, way back (LTI 1.3 Core §5.4.4).
    pub const LAUNCH_PRESENTATION: &str =
        "https://purl.imsglobal.org/spec/lti/claim/launch_presentation";
    /// Identifiers of the student information system (LTI 1.3 Core §5.4.5).
    pub const LIS: &str = "https://purl.imsglobal.org/spec/lti/claim/lis";
    /// Custom parameters (LTI 1.3 Core §5.4.6).
    pub const CUSTOM: &str = "https://purl.imsglobal.org/spec/lti/claim/custom";
    /// Whose submission is reviewed (Submission Review §3.2).
    pub const FOR_USER: &str = "https://purl.imsglobal.org/spec/lti/claim/for_user";
    /// Line items and scores (AGS 2.0 §3.1).
    pub const AGS_ENDPOINT: &str = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint";
    /// Membership (NRPS 2.0 §3.6.1.1).
    pub const NRPS: &str = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice";
    /// What may be picked and where the answer goes (Deep Linking 2.0 §4.4.1).
    pub const DEEP_LINKING_SETTINGS: &str =
        "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings";
    /// Opaque text to give back (Deep Linking 2.0 §4.4.5).
    pub const DEEP_LINKING_DATA: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/data";
    /// What was picked (Deep Linking 2.0 §4.5).
    pub const DEEP_LINKING_CONTENT_ITEMS: &str =
        "https://purl.imsglobal.org/spec/lti-dl/claim/content_items";
    /// A word for the person after picking (Deep Linking 2.0 §4.5).
    pub const DEEP_LINKING_MSG: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/msg";
    /// Where in Canvas the tool was started.
    pub const CANVAS_PLACEMENT: &str = "https://www.instructure.com/placement";
}

/// Message types.
pub mod message {
    /// A placement is opened (LTI 1.3 Core §5.3.1).
    pub const RESOURCE_LINK: &str = "LtiResourceLinkRequest";
    /// Content is picked (Deep Linking 2.0 §4.4).
    pub const DEEP_LINKING: &str = "LtiDeepLinkingRequest";
    /// The answer to it (Deep Linking 2.0 §4.5).
    pub const DEEP_LINKING_RESPONSE: &str = "LtiDeepLinkingResponse";
    /// A teacher looks at a learner's work (Submission Review §3).
    pub const SUBMISSION_REVIEW: &str = "LtiSubmissionReviewRequest";
}

/// Scopes of access tokens.
pub mod scope {
    /// Sign-in.
    pub const OPENID: &str = "openid";
    /// Make, read, change and delete line items (AGS 2.0 §3.2.1).
    pub const LINE_ITEM: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem";
    /// Read line items.
    pub const LINE_ITEM_READONLY: &str =
        "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly";
    /// Read results (AGS 2.0 §3.3.1).
    pub const RESULT_READONLY: &str =
        "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly";
    /// Send scores (AGS 2.0 §3.4.1).
    pub const SCORE: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/score";
    /// Read the membership (NRPS 2.0 §3.6.1).
    pub const MEMBERSHIP_READONLY: &str =
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly";
}

/// Media types. Moodle compares them by equality: send exactly one, without a charset.
pub mod media {
    /// One line item (AGS 2.0 §3.2.4).
    pub const LINE_ITEM: &str = "application/vnd.ims.lis.v2.lineitem+json";
    /// A list of line items (AGS 2.0 §3.2.4).
    pub const LINE_ITEM_CONTAINER: &str = "application/vnd.ims.lis.v2.lineitemcontainer+json";
    /// A score (AGS 2.0 §3.4.3).
    pub const SCORE: &str = "application/vnd.ims.lis.v1.score+json";
    /// A list of results (AGS 2.0 §3.3.3).
    pub const RESULT_CONTAINER: &str = "application/vnd.ims.lis.v2.resultcontainer+json";
    /// A page of members (NRPS 2.0 §3.6.2).
    pub const MEMBERSHIP_CONTAINER: &str =
        "application/vnd.ims.lti-nrps.v2.membershipcontainer+json";
    /// Plain JSON.
    pub const JSON: &str = "application/json";
    /// A form (token requests).
    pub const FORM: &str = "application/x-www-form-urlencoded";
}

/// The beginnings of role addresses (LTI 1.3 Core §A.2).
pub mod role {
    /// Context roles.
    pub const MEMBERSHIP: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership#";
    /// Context sub-roles: `…/membership/Principal#Sub`.
    pub const MEMBERSHIP_SUB: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership/";
    /// Institution roles.
    pub const INSTITUTION: &str = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#";
    /// System roles.
    pub const SYSTEM: &str = "http://purl.imsglobal.org/vocab/lis/v2/system/person#";
    /// What Moodle's membership service says for a site administrator; in no vocabulary.
    pub const MOODLE_PERSON_ADMINISTRATOR: &str =
        "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator";
    /// A preview user without a human behind it (note `lti`, not `lis`).
    pub const TEST_USER: &str = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser";
    /// LTI 1.1 context roles: `urn:lti:role:ims/lis/Principal[/Sub]`.
    pub const URN_CONTEXT: &str = "urn:lti:role:ims/lis/";
    /// LTI 1.1 institution roles.
    pub const URN_INSTITUTION: &str = "urn:lti:instrole:ims/lis/";
    /// LTI 1.1 system roles.
    pub const URN_SYSTEM: &str = "urn:lti:sysrole:ims/lis/";
}

/// OAuth 2.0 words of the token request (1EdTech Security Framework §4.1, RFC 7523).
pub mod oauth {
    /// `client_assertion_type`.
    pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    /// `grant_type`.
    pub const CLIENT_CREDENTIALS: &str = "client_credentials";
}
