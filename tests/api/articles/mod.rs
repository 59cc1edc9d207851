//! Articles: permissions, drafts, and concurrent edits.

mod access;
mod drafts;
mod edits;
