fn main() -> std::process::ExitCode {
    users::list_contacts::main()
}
