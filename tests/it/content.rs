//! The content that is built in keeps the rules that content is checked by.

use passmuster::course::{Catalogue, check};

#[test]
fn built_in_courses_load_whole_and_pass_the_bank_checks() {
    let catalogue = Catalogue::built_in().unwrap();
    let report = check::check(&catalogue);
    assert!(report.is_good(), "{report}");
    for course in catalogue.courses() {
        for module in &course.modules {
            assert!(
                module.bank.questions.len() >= 25,
                "{} is small",
                module.code
            );
            let lesson = &module.rendered().lesson;
            assert!(
                lesson.words >= 1200,
                "{}: {} words",
                module.code,
                lesson.words
            );
            assert!(
                lesson.notices.is_empty(),
                "{}: {:?}",
                module.code,
                lesson.notices
            );
            assert!(!module.sources.is_empty());
        }
    }
}
