use std::fmt::Write;

use super::*;
use crate::examples::{ann, signed_in};

#[test]
fn the_architecture_shows_the_access_table() {
    let architecture = include_str!("../../../../../ARCHITECTURE.md");
    let matrix = matrix();
    let shown = architecture.contains(&format!("\n\n{matrix}\n"));
    assert!(shown, "ARCHITECTURE.md must show this instead of its present table:\n\n{matrix}");
}

#[test]
fn a_relation_follows_from_roles_and_authorship() {
    use Relation::{Author, Editor, EditorAuthor, EditorWriter, Stranger, Writer};
    let author = ann().user_id;
    let [co_writer, other] = [1, 2].map(|number| UserId::from(uuid::Uuid::from_u128(number)));
    let writers = Writers::of(co_writer);
    for (roles, is_author, wrote_some, wrote_none) in [
        (&[][..], Stranger, Stranger, Stranger),
        (&[Role::Customer, Role::Merchant, Role::Admin], Stranger, Stranger, Stranger),
        (&[Role::Customer, Role::Writer], Author, Writer, Writer),
        (&[Role::Editor], EditorAuthor, EditorWriter, Editor),
        (&[Role::Writer, Role::Editor], EditorAuthor, EditorWriter, Editor),
        (&[Role::Admin, Role::Writer], Author, Writer, Writer),
    ] {
        for (user_id, expected) in
            [(author, is_author), (co_writer, wrote_some), (other, wrote_none)]
        {
            let caller = signed_in(user_id, roles);
            assert_eq!(Relation::of(Some(&caller), author, &writers), expected, "{roles:?}");
        }
    }
    assert_eq!(Relation::of(None, author, &writers), Relation::Nobody);
}

#[test]
fn a_caller_who_may_not_read_cannot_learn_that_an_article_exists() {
    for (&relation, &state) in cells() {
        if answer(ArticleAction::Read, state, relation) != AccessDecision::Hidden {
            continue;
        }
        for action in [ArticleAction::Edit, ArticleAction::ChangeStatus, ArticleAction::Share] {
            let told = answer(action, state, relation);
            // A caller who may do it to no article gets the same decision for a missing one.
            let to_none =
                ArticleStatus::ALL.iter().all(|&any| answer(action, any, relation) == told);
            assert!(
                told == AccessDecision::Hidden || to_none,
                "{relation:?}, {state:?}, {action:?}"
            );
        }
    }
}

#[test]
fn only_a_refusal_by_a_rule_fails_in_stage_7() {
    for (&relation, &state) in cells() {
        for action in ArticleAction::ALL {
            let decision = answer(*action, state, relation);
            let is_refusal = matches!(decision, AccessDecision::Refused(_));
            assert_eq!(
                decision.ruling().is_err(),
                is_refusal,
                "{relation:?}, {state:?}, {action:?}"
            );
        }
    }
}

/// A patch may change both, and is then checked as a change of the status.
#[test]
fn editing_is_allowed_or_decided_like_a_change_of_the_status() {
    for (&relation, &state) in cells() {
        let [edit, change] = [ArticleAction::Edit, ArticleAction::ChangeStatus]
            .map(|action| answer(action, state, relation));
        assert!(edit == AccessDecision::Yes || edit == change, "{relation:?}, {state:?}");
    }
}

fn cells() -> impl Iterator<Item = (&'static Relation, &'static ArticleStatus)> {
    Relation::ALL
        .iter()
        .flat_map(|relation| ArticleStatus::ALL.iter().map(move |state| (relation, state)))
}

/// The table in Markdown.
fn matrix() -> String {
    let mut table = String::from("| | |");
    let mut row = |cells: &[&str]| writeln!(table, " {} |", cells.join(" | ")).unwrap();
    let relations: Vec<_> = Relation::ALL.iter().map(|relation| relation.as_str()).collect();
    row(&relations);
    writeln!(table, "{}|", "|---".repeat(2 + relations.len())).unwrap();
    for action in ArticleAction::ALL {
        for state in ArticleStatus::ALL {
            let cells =
                Relation::ALL.iter().map(|&relation| shown(answer(*action, *state, relation)));
            let cells = cells.collect::<Vec<_>>().join(" | ");
            writeln!(table, "| {} | {} | {cells} |", action.as_str(), state.as_str()).unwrap();
        }
    }
    table
}

/// A decision as the status that it becomes.
fn shown(answer: AccessDecision) -> String {
    match answer {
        AccessDecision::Yes => "yes".to_owned(),
        AccessDecision::Unauthenticated => "401".to_owned(),
        AccessDecision::Forbidden => "403".to_owned(),
        AccessDecision::Hidden => "404".to_owned(),
        AccessDecision::Refused(refusal) => format!("422 `{}`", DomainError::from(refusal).code),
    }
}
