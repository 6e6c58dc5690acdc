fn main() -> std::process::ExitCode {
    users::ask_contact::main()
}
