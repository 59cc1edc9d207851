//! The decision of stage 3b.

use super::notes::{Member, PostNote, Role};
use crate::Timestamp;
use crate::caller::Verdict;
use crate::endpoint::{Allow, Endpoint};

#[test]
fn each_decision_has_its_verdict_and_its_description() {
    let expires_at = Timestamp::from_millis(0);
    let author = Member { id: "ann".to_owned(), role: Role::Author, expires_at };
    let by_text: fn(&Member, &String, &()) -> bool = |_, text, ()| text == "fits";
    for (allow, expected, may_forbid, described) in [
        (Allow::Always, [Verdict::Allow; 2], false, "always"),
        (Allow::HideUnless(by_text), [Verdict::Allow, Verdict::Hide], false, "by facts"),
        (Allow::ForbidUnless(by_text), [Verdict::Allow, Verdict::Forbid], true, "by facts"),
        (Allow::If(|_, _, ()| Verdict::Hide), [Verdict::Hide; 2], true, "by facts"),
    ] {
        let allow: Allow<PostNote> = allow;
        let verdicts = ["fits", "other"].map(|text| allow.verdict(&author, &text.to_owned(), &()));
        assert_eq!(verdicts, expected);
        assert_eq!((allow.may_forbid(), allow.describe()), (may_forbid, described));
    }
}

#[test]
fn by_default_a_request_counts_as_one_operation() {
    assert_eq!((PostNote::cost(&"text".to_owned()), PostNote::COST_MAX), (1, 1));
}
