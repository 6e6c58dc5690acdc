fn main() -> std::process::ExitCode {
    auth::resend_email::main()
}
