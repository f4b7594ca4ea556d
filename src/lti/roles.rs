//! Role addresses to rights (LTI 1.3 Core §A.2).
//!
//! Matching is by the exact vocabulary, never by the end of an address: `membership/Learner#Instructor` is a
//! learner's sub-role, and `institution/person#Instructor` says nothing about this course.

use super::vocab::role as uri;

/// A principal role in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContextRole {
    /// Runs the course's set-up.
    Administrator,
    /// Makes content (Canvas: designer).
    ContentDeveloper,
    /// Teaches.
    Instructor,
    /// Learns.
    Learner,
    /// Watches named learners (Canvas: observer).
    Mentor,
    /// Coordinates.
    Manager,
    /// Belongs to the group, nothing more said.
    Member,
    /// Holds an office in the group.
    Officer,
}

use ContextRole as C;

/// Every principal role with its name and its sub-roles.
const CONTEXT: &[(ContextRole, &str, &[&str])] = &[
    (
        C::Administrator,
        "Administrator",
        &[
            "Administrator",
            "Developer",
            "ExternalDeveloper",
            "ExternalSupport",
            "ExternalSystemAdministrator",
            "Support",
            "SystemAdministrator",
        ],
    ),
    (
        C::ContentDeveloper,
        "ContentDeveloper",
        &[
            "ContentDeveloper",
            "ContentExpert",
            "ExternalContentExpert",
            "Librarian",
        ],
    ),
    (
        C::Instructor,
        "Instructor",
        &[
            "ExternalInstructor",
            "Grader",
            "GuestInstructor",
            "Lecturer",
            "PrimaryInstructor",
            "SecondaryInstructor",
            "TeachingAssistant",
            "TeachingAssistantGroup",
            "TeachingAssistantOffering",
            "TeachingAssistantSection",
            "TeachingAssistantSectionAssociation",
            "TeachingAssistantTemplate",
        ],
    ),
    (
        C::Learner,
        "Learner",
        &[
            "ExternalLearner",
            "GuestLearner",
            "Instructor",
            "Learner",
            "NonCreditLearner",
        ],
    ),
    (
        C::Manager,
        "Manager",
        &[
            "AreaManager",
            "CourseCoordinator",
            "ExternalObserver",
            "Manager",
            "Observer",
        ],
    ),
    (C::Member, "Member", &["Member"]),
    (
        C::Mentor,
        "Mentor",
        &[
            "Advisor",
            "Auditor",
            "ExternalAdvisor",
            "ExternalAuditor",
            "ExternalLearningFacilitator",
            "ExternalMentor",
            "ExternalReviewer",
            "ExternalTutor",
            "LearningFacilitator",
            "Mentor",
            "Reviewer",
            "Tutor",
        ],
    ),
    (
        C::Officer,
        "Officer",
        &[
            "Chair",
            "Communications",
            "Secretary",
            "Treasurer",
            "Vice-Chair",
        ],
    ),
];

const INSTITUTION: &[&str] = &[
    "Administrator",
    "Faculty",
    "Guest",
    "None",
    "Other",
    "Staff",
    "Student",
    "Alumni",
    "Instructor",
    "Learner",
    "Member",
    "Mentor",
    "Observer",
    "ProspectiveStudent",
];

const SYSTEM: &[&str] = &[
    "Administrator",
    "None",
    "AccountAdmin",
    "Creator",
    "SysAdmin",
    "SysSupport",
    "User",
];

/// More roles than any platform sends; the rest of a longer list is not looked at.
const MAX_ROLES: usize = 200;

/// One role, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// In this course or group; the sub-role when one was named.
    Context(ContextRole, Option<&'static str>),
    /// Anywhere at the institution. Grants nothing here.
    Institution(&'static str),
    /// Anywhere on the system. Grants nothing here.
    System(&'static str),
    /// A preview user: no human, no evidence.
    TestUser,
    /// In no vocabulary that we know. Grants nothing.
    Unknown,
}

impl Role {
    /// Reads one role address, short name or LTI 1.1 leftover. Never fails: strangers are [`Role::Unknown`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::find(text).unwrap_or(Self::Unknown)
    }

    fn find(text: &str) -> Option<Self> {
        let institution = |name| word(INSTITUTION, name).map(Self::Institution);
        let system = |name| word(SYSTEM, name).map(Self::System);
        if text == uri::TEST_USER {
            return Some(Self::TestUser);
        }
        if text == uri::MOODLE_PERSON_ADMINISTRATOR {
            return institution("Administrator");
        }
        if let Some(name) = text.strip_prefix(uri::MEMBERSHIP) {
            return principal(name);
        }
        if let Some(rest) = text.strip_prefix(uri::MEMBERSHIP_SUB) {
            let (name, sub) = rest.split_once('#')?;
            return sub_role(name, sub);
        }
        if let Some(name) = text.strip_prefix(uri::INSTITUTION) {
            return institution(name);
        }
        if let Some(name) = text.strip_prefix(uri::SYSTEM) {
            return system(name);
        }
        if let Some(rest) = text.strip_prefix(uri::URN_CONTEXT) {
            return match rest.split_once('/') {
                Some((name, sub)) => sub_role(name, sub),
                None => principal(rest),
            };
        }
        if let Some(name) = text.strip_prefix(uri::URN_INSTITUTION) {
            return institution(name);
        }
        if let Some(name) = text.strip_prefix(uri::URN_SYSTEM) {
            return system(name);
        }
        // Short names are legal for context roles only.
        if text.contains(':') {
            return None;
        }
        principal(text)
    }
}

fn word(list: &[&'static str], name: &str) -> Option<&'static str> {
    list.iter().copied().find(|w| *w == name)
}

// Canvas has been seen sending the principal in lower case (`membership/instructor#TeachingAssistant`).
fn entry(name: &str) -> Option<&'static (ContextRole, &'static str, &'static [&'static str])> {
    CONTEXT
        .iter()
        .find(|(_, n, _)| n.eq_ignore_ascii_case(name))
}

fn principal(name: &str) -> Option<Role> {
    entry(name).map(|(role, ..)| Role::Context(*role, None))
}

fn sub_role(name: &str, sub: &str) -> Option<Role> {
    let (role, _, subs) = entry(name)?;
    word(subs, sub).map(|s| Role::Context(*role, Some(s)))
}

/// The roles of one launch or one member, as sent and as read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    uris: Vec<String>,
    roles: Vec<Role>,
}

impl Roles {
    /// Reads a list; an empty one gives no rights.
    #[must_use]
    pub fn parse<S: AsRef<str>>(list: &[S]) -> Self {
        let uris: Vec<String> = list
            .iter()
            .take(MAX_ROLES)
            .map(|s| s.as_ref().to_owned())
            .collect();
        let roles = uris.iter().map(|u| Role::parse(u)).collect();
        Self { uris, roles }
    }

    /// The roles as they were sent.
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// The roles as they were read, in the same order.
    #[must_use]
    pub fn as_slice(&self) -> &[Role] {
        &self.roles
    }

    fn in_context(&self, wanted: &[ContextRole]) -> bool {
        self.roles
            .iter()
            .any(|r| matches!(r, Role::Context(c, _) if wanted.contains(c)))
    }

    /// May take the course and earn a score: Learner with its sub-roles, or Member when nothing makes them staff.
    #[must_use]
    pub fn is_learner(&self) -> bool {
        self.in_context(&[C::Learner]) || (self.in_context(&[C::Member]) && !self.is_instructor())
    }

    /// May see the class and choose content: Instructor, ContentDeveloper, Administrator, Manager *of the context*.
    #[must_use]
    pub fn is_instructor(&self) -> bool {
        self.in_context(&[
            C::Instructor,
            C::ContentDeveloper,
            C::Administrator,
            C::Manager,
        ])
    }

    /// May look at the learners named in `role_scope_mentor`, and at nothing else.
    #[must_use]
    pub fn is_mentor(&self) -> bool {
        self.in_context(&[C::Mentor])
    }

    /// A preview user: records are marked as a test, nothing is attested, no score is sent.
    #[must_use]
    pub fn is_test_user(&self) -> bool {
        self.roles.contains(&Role::TestUser)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIS: &str = "http://purl.imsglobal.org/vocab/lis/v2/";

    #[derive(Debug, PartialEq)]
    struct Rights {
        learner: bool,
        instructor: bool,
        mentor: bool,
    }

    fn rights(list: &[&str]) -> Rights {
        let r = Roles::parse(list);
        Rights {
            learner: r.is_learner(),
            instructor: r.is_instructor(),
            mentor: r.is_mentor(),
        }
    }

    fn wanted(role: ContextRole) -> Rights {
        Rights {
            learner: matches!(role, C::Learner | C::Member),
            instructor: matches!(
                role,
                C::Instructor | C::ContentDeveloper | C::Administrator | C::Manager
            ),
            mentor: role == C::Mentor,
        }
    }

    const NOTHING: Rights = Rights {
        learner: false,
        instructor: false,
        mentor: false,
    };

    #[test]
    fn every_context_role_gives_its_principal_s_rights_in_every_spelling() {
        for (role, name, subs) in CONTEXT {
            for text in [
                format!("{LIS}membership#{name}"),
                (*name).to_owned(),
                name.to_lowercase(),
                format!("urn:lti:role:ims/lis/{name}"),
            ] {
                assert_eq!(Role::parse(&text), Role::Context(*role, None), "{text}");
                assert_eq!(rights(&[&text]), wanted(*role), "{text}");
            }
            for sub in *subs {
                for text in [
                    format!("{LIS}membership/{name}#{sub}"),
                    format!("{LIS}membership/{}#{sub}", name.to_lowercase()),
                    format!("urn:lti:role:ims/lis/{name}/{sub}"),
                ] {
                    assert_eq!(
                        Role::parse(&text),
                        Role::Context(*role, Some(sub)),
                        "{text}"
                    );
                    assert_eq!(rights(&[&text]), wanted(*role), "{text}");
                }
            }
        }
    }

    #[test]
    fn institution_and_system_roles_never_grant_course_rights() {
        for name in INSTITUTION {
            for text in [
                format!("{LIS}institution/person#{name}"),
                format!("urn:lti:instrole:ims/lis/{name}"),
            ] {
                assert_eq!(Role::parse(&text), Role::Institution(name), "{text}");
                assert_eq!(rights(&[&text]), NOTHING, "{text}");
            }
        }
        for name in SYSTEM {
            for text in [
                format!("{LIS}system/person#{name}"),
                format!("urn:lti:sysrole:ims/lis/{name}"),
            ] {
                assert_eq!(Role::parse(&text), Role::System(name), "{text}");
                assert_eq!(rights(&[&text]), NOTHING, "{text}");
            }
        }
        let odd = format!("{LIS}person#Administrator");
        assert_eq!(Role::parse(&odd), Role::Institution("Administrator"));
        assert_eq!(rights(&[&odd]), NOTHING);
    }

    #[test]
    fn strangers_and_forgeries_are_accepted_and_grant_nothing() {
        for text in [
            "",
            " Instructor",
            "Teacher",
            "admin",
            &format!("{LIS}membership#unknown-helper"),
            &format!("{LIS}membership/Learner#Teacher"),
            &format!("{LIS}membership/Other#Instructor"),
            &format!("{LIS}membership/#Instructor"),
            &format!("{LIS}membership#Learner#Instructor"),
            &format!("{LIS}Membership#Instructor"),
            "https://evil.example/membership#Instructor",
            "https://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
            "urn:lti:role:ims/lis/Instructor/Boss",
            "urn:lti:role:evil/Instructor",
        ] {
            assert_eq!(Role::parse(text), Role::Unknown, "{text}");
            assert_eq!(rights(&[text]), NOTHING, "{text}");
        }
        assert_eq!(rights(&[]), NOTHING);
    }

    #[test]
    fn a_learner_s_sub_role_called_instructor_is_a_learner() {
        let r = Roles::parse(&[format!("{LIS}membership/Learner#Instructor")]);
        assert!(r.is_learner() && !r.is_instructor());
    }

    #[test]
    fn several_roles_add_up_and_a_member_of_staff_is_no_learner() {
        let both = rights(&["Learner", "Instructor"]);
        assert!(both.learner && both.instructor);
        assert!(!rights(&["Member", "Instructor"]).learner);
        let preview = Roles::parse(&["Learner", uri::TEST_USER]);
        assert!(preview.is_test_user() && preview.is_learner());
        assert_eq!(preview.uris().len(), 2);
    }
}
