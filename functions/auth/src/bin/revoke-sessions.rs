fn main() -> std::process::ExitCode {
    auth::revoke_sessions::main()
}
