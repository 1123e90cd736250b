//! The conformance suite, itself under test: correct stores pass, broken ones are caught by the law that they
//! break.

mod bent;
mod broken;
mod correct;
mod flaws;
mod shelf;
