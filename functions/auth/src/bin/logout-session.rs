fn main() -> std::process::ExitCode {
    auth::logout_session::main()
}
