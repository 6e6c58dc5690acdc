fn main() -> std::process::ExitCode {
    auth::login_user::main()
}
