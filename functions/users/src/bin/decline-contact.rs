fn main() -> std::process::ExitCode {
    users::decline_contact::main()
}
