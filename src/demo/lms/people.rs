//! Who is in the course: a teacher and four learners, none of them real.

/// One person of the demo course.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// In addresses: `/as/{key}`.
    pub key: &'static str,
    /// `sub` and `user_id`.
    pub sub: &'static str,
    /// First part of the name.
    pub given: &'static str,
    /// Second part of the name.
    pub family: &'static str,
    /// The address, always at example.com.
    pub email: &'static str,
    /// Whether name and e-mail are told to the tool (the LMS's privacy setting).
    pub shared: bool,
    /// Whether this is the teacher; everyone else learns.
    pub teacher: bool,
    /// Role URIs as a launch carries them (LTI 1.3 Core §A.2).
    pub roles: &'static [&'static str],
    /// What a visitor should know before choosing this person.
    pub note: &'static str,
}

const LEARNER: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner";
const INSTRUCTOR: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor";
const STAFF: &str = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Staff";
const STUDENT: &str = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student";
const EXTERNAL: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership/Learner#ExternalLearner";
const GUEST: &str = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Guest";

/// Everyone, the teacher first.
pub(super) static PEOPLE: [Person; 5] = [
    Person {
        key: "teacher",
        sub: "102",
        given: "Demo",
        family: "Teacher",
        email: "demo.teacher@example.com",
        shared: true,
        teacher: true,
        roles: &[INSTRUCTOR, STAFF],
        note: "Adds content, sees the gradebook and changes grades.",
    },
    Person {
        key: "learner-one",
        sub: "103",
        given: "Demo",
        family: "Learner One",
        email: "demo.learner.one@example.com",
        shared: true,
        teacher: false,
        roles: &[LEARNER, STUDENT],
        note: "An employee who takes the training.",
    },
    Person {
        key: "learner-two",
        sub: "104",
        given: "Demo",
        family: "Learner Two",
        email: "demo.learner.two@example.com",
        shared: true,
        teacher: false,
        roles: &[LEARNER, STUDENT],
        note: "A second employee, to have side by side with the first.",
    },
    Person {
        key: "learner-three",
        sub: "105",
        given: "Demo",
        family: "Learner Three",
        email: "demo.learner.three@example.com",
        shared: false,
        teacher: false,
        roles: &[LEARNER],
        note: "Name and e-mail are not shared with the tool.",
    },
    Person {
        key: "contractor",
        sub: "106",
        given: "Demo",
        family: "Contractor",
        email: "demo.contractor@example.com",
        shared: true,
        teacher: false,
        roles: &[LEARNER, EXTERNAL, GUEST],
        note: "Not an employee; takes the same training.",
    },
];

impl Person {
    /// The whole name.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// `login_hint`: opaque, and on purpose not the `sub`.
    pub(super) fn login_hint(&self) -> String {
        format!("demo-lms|{}", self.sub)
    }

    /// The context role as people call it.
    pub(super) const fn role(&self) -> &'static str {
        if self.teacher { "Teacher" } else { "Learner" }
    }

    /// The short context role that the roster gives (NRPS 2.0 §2.2 takes it for context roles).
    pub(super) const fn short_role(&self) -> &'static str {
        if self.teacher {
            "Instructor"
        } else {
            "Learner"
        }
    }
}

/// The person whose pages lie under `/as/{key}`.
pub(super) fn by_key(key: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|p| p.key == key)
}

/// The person that services call `sub`.
pub(super) fn by_sub(sub: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|p| p.sub == sub)
}
