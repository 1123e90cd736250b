use super::*;
use std::fs;
use std::sync::Barrier;

/// What cannot be compared itself: secrets print nothing and have no equality.
fn hex(secret: &Secret) -> String {
    secret.to_hex().to_string()
}

#[test]
fn the_first_start_makes_a_secret_and_the_second_finds_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.secret");
    let first = secret_from_file(&path).unwrap();
    let second = secret_from_file(&path).unwrap();
    assert_eq!(hex(&first), hex(&second));
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), hex(&first));
    // Neither a draft nor anything else stays behind.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn of_many_first_starts_at_once_all_get_one_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.secret");
    let barrier = Barrier::new(8);
    let secrets: Vec<String> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    hex(&secret_from_file(&path).unwrap())
                })
            })
            .collect();
        let joined = starts.into_iter().map(|start| start.join().unwrap());
        joined.collect()
    });
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_start_that_is_too_late_takes_the_secret_that_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.secret");
    make(&path).unwrap();
    let first = hex(&secret_from_file(&path).unwrap());
    make(&path).unwrap();
    assert_eq!(hex(&secret_from_file(&path).unwrap()), first);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.secret");
    secret_from_file(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&path), 0o600);

    for open in [0o640, 0o604, 0o644, 0o620, 0o610] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let message = secret_from_file(&path).unwrap_err().with_causes();
        assert!(message.contains("chmod 600"), "{message}");
        assert!(message.contains(&format!("{open:o}")), "{message}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    secret_from_file(&path).unwrap();
}

#[test]
fn what_is_no_secret_is_refused_and_not_overwritten() {
    for text in [
        "",
        "abc",
        &"ab".repeat(31),
        "hunter2 hunter2 hunter2 hunter2 hunter2 hunter2!",
    ] {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = file.path();
        let message = secret_from_file(path).unwrap_err().with_causes();
        assert!(message.contains("openssl rand -hex 32"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
        assert_eq!(fs::read_to_string(path).unwrap(), text);
    }
}

#[test]
fn places_where_no_file_can_be_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("no-such-directory/demo.secret");
    for path in [missing.as_path(), directory.path()] {
        let message = secret_from_file(path).unwrap_err().with_causes();
        assert!(message.contains(&path.display().to_string()), "{message}");
    }
}
