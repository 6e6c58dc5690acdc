fn main() -> std::process::ExitCode {
    auth::revoke_session::main()
}
