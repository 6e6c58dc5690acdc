fn main() -> std::process::ExitCode {
    auth::verify_email::main()
}
